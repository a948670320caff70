package graphtest

import (
	"strings"
	"time"
)

// seed fills the tenant with the people and things of Nordlicht IT.
func (s *Server) seed() {
	s.seedUsers()
	s.seedGroups()
	s.seedRooms()
	s.seedMail()
	s.seedCalendars()
}

// employees of Nordlicht IT; the manager is named by the local part.
var employees = []struct{ name, title, department, manager, phone string }{
	{"Henrik Olsen", "Managing Director", "Management", "", "+49 40 5550 101"},
	{"Tom Lindqvist", "Service Manager", "Service Desk", "henrik.olsen", "+49 40 5550 110"},
	{"Priya Nair", "Dispatcher", "Service Desk", "tom.lindqvist", "+49 40 5550 111"},
	{"Sam Okafor", "Service Desk Technician", "Service Desk", "tom.lindqvist", "+49 40 5550 112"},
	{"Elif Demir", "Service Desk Technician", "Service Desk", "tom.lindqvist", "+49 40 5550 113"},
	{"Oskar Lehmann", "Apprentice", "Service Desk", "elif.demir", "+49 40 5550 114"},
	{"Lars Brandt", "Network Engineer", "Projects", "nina.hoffmann", "+49 40 5550 121"},
	{"Nina Hoffmann", "Project Manager", "Projects", "henrik.olsen", "+49 40 5550 120"},
	{"Yuki Tanaka", "Cloud Engineer", "Projects", "nina.hoffmann", "+49 40 5550 122"},
	{"Jana Petersen", "Accountant", "Finance", "henrik.olsen", "+49 40 5550 130"},
	{"Marco Rossi", "Account Manager", "Sales", "henrik.olsen", "+49 40 5550 140"},
	{"Aylin Kaya", "HR Manager", "People", "henrik.olsen", "+49 40 5550 150"},
}

// customers' contacts, who write mails; the first two are guests, too.
var contacts = []struct{ name, address, company string }{
	{"Anna Berg", "anna.berg@hafenlogistik.example", "Hafen Logistik GmbH"},
	{"Jonas Weber", "jonas.weber@hafenlogistik.example", "Hafen Logistik GmbH"},
	{"Mira Koch", "mira.koch@hafenlogistik.example", "Hafen Logistik GmbH"},
	{"Dr. Lena Vogt", "lena.vogt@alsterdental.example", "Alster Dental"},
}

const berlin = "W. Europe Standard Time"

func (s *Server) seedUsers() {
	for i, e := range employees {
		u := s.addUser(e.name, e.title, e.department, e.phone, i)
		s.newMailbox(u, berlin)
	}
	for _, e := range employees {
		if e.manager != "" {
			s.user(address(e.name)).manager = s.user(e.manager + "@nordlicht.example")
		}
	}
	left := s.addUser("Peter Voss", "Service Desk Technician", "Service Desk", "+49 40 5550 119", 40)
	left.props["accountEnabled"], left.licences = false, nil
	left.props["assignedLicenses"] = []any{}
	left.props["signInActivity"] = s.signIn(140)

	shared := s.addUser("Service Desk", "", "Service Desk", "", 60)
	shared.props["accountEnabled"], shared.props["givenName"], shared.props["surname"] = false, nil, nil
	shared.props["mail"], shared.props["userPrincipalName"], shared.props["mailNickname"] = "servicedesk@nordlicht.example", "servicedesk@nordlicht.example", "servicedesk"
	shared.props["assignedLicenses"], shared.licences, shared.methods, shared.devices = []any{}, nil, nil, nil
	box := s.newMailbox(shared, berlin)
	box.settings["userPurpose"] = "shared"
	for _, name := range []string{"Sam Okafor", "Priya Nair", "Tom Lindqvist", "Elif Demir"} {
		box.delegates[s.user(address(name)).id()] = true
	}
	for _, c := range contacts[:2] {
		s.addGuest(c.name, c.address, c.company)
	}
}

// address is the mail address of an employee.
func address(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@nordlicht.example"
}

func (s *Server) signIn(daysAgo int) object {
	at := s.started.AddDate(0, 0, -daysAgo).Add(-90 * time.Minute)
	return object{"lastSignInDateTime": timestamp(at), "lastNonInteractiveSignInDateTime": timestamp(at.Add(time.Hour)), "lastSuccessfulSignInDateTime": timestamp(at)}
}

func (s *Server) addUser(name, title, department, phone string, n int) *user {
	first, last, _ := strings.Cut(name, " ")
	mail := address(name)
	u := &user{props: object{
		"id": guid("user" + mail), "displayName": name, "givenName": first, "surname": last, "userPrincipalName": mail, "mail": mail,
		"mailNickname": strings.TrimSuffix(mail, "@nordlicht.example"), "jobTitle": title, "department": department, "companyName": "Nordlicht IT",
		"officeLocation": "Hamburg", "city": "Hamburg", "country": "Germany", "usageLocation": "DE", "preferredLanguage": "en", "userType": "Member",
		"accountEnabled": true, "businessPhones": []any{phone}, "mobilePhone": nil, "employeeId": guid(mail)[:6], "proxyAddresses": []any{"SMTP:" + mail},
		"otherMails": []any{}, "onPremisesSyncEnabled": nil, "createdDateTime": timestamp(s.started.AddDate(-3, 0, n*7)),
		"lastPasswordChangeDateTime": timestamp(s.started.AddDate(0, -2, -n)), "signInActivity": s.signIn(n % 3),
		"assignedLicenses": []any{object{"skuId": skuBusinessPremium, "disabledPlans": []any{}}},
	}}
	u.licences = []object{{
		"id": changeKey(n, 3)[:24], "skuId": skuBusinessPremium, "skuPartNumber": "SPB", "servicePlans": []any{
			object{"servicePlanId": guid("EXCHANGE_S_STANDARD"), "servicePlanName": "EXCHANGE_S_STANDARD", "provisioningStatus": "Success", "appliesTo": "User"},
			object{"servicePlanId": guid("TEAMS1"), "servicePlanName": "TEAMS1", "provisioningStatus": "Success", "appliesTo": "User"},
		},
	}}
	u.methods = []object{
		{"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "28c10230-6103-485e-b985-444c60001490", "password": nil, "createdDateTime": timestamp(s.started.AddDate(0, -2, 0))},
		{"@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod", "id": guid("authenticator" + mail), "displayName": "Phone of " + first, "deviceTag": "SoftwareTokenActivated", "phoneAppVersion": "6.2511.7533", "createdDateTime": timestamp(s.started.AddDate(-1, 0, 0))},
	}
	u.devices = []object{{
		"@odata.type": "#microsoft.graph.device", "id": guid("device" + mail), "deviceId": guid("deviceid" + mail), "displayName": "NL-NB-" + strings.ToUpper(last),
		"operatingSystem": "Windows", "operatingSystemVersion": "10.0.26100.2314", "trustType": "AzureAd", "isCompliant": true, "isManaged": true, "accountEnabled": true,
		"approximateLastSignInDateTime": timestamp(s.started.AddDate(0, 0, -n%4)),
	}}
	s.users = append(s.users, u)
	return u
}

func (s *Server) addGuest(name, mail, company string) {
	first, last, _ := strings.Cut(name, " ")
	upn := strings.ReplaceAll(mail, "@", "_") + "#EXT#@nordlichtit.onmicrosoft.example"
	s.users = append(s.users, &user{props: object{
		"id": guid("user" + mail), "displayName": name, "givenName": first, "surname": last, "userPrincipalName": upn, "mail": mail, "mailNickname": upn[:strings.Index(upn, "@")],
		"companyName": company, "userType": "Guest", "accountEnabled": true, "businessPhones": []any{}, "assignedLicenses": []any{}, "otherMails": []any{mail},
		"proxyAddresses": []any{"SMTP:" + mail}, "createdDateTime": timestamp(s.started.AddDate(-1, 0, 0)), "externalUserState": "Accepted", "jobTitle": nil,
		"mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil, "department": nil, "signInActivity": s.signIn(9),
	}})
}

const (
	skuBusinessPremium = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
	skuPowerBI         = "a403ebcc-fae0-4ca2-8c8c-7a907fd6c235"
)

func (s *Server) seedGroups() {
	everyone := s.addGroup("All Staff", "Everybody at Nordlicht IT", "staff", true)
	desk := s.addGroup("Service Desk", "First and second level support", "desk", true)
	projects := s.addGroup("Projects", "Roll-outs and migrations", "projects", true)
	admins := s.addGroup("Privileged Access", "May use the admin workstations", "", false)
	mfa := s.addGroup("MFA Required", "Conditional access: MFA on every sign-in", "", false)
	for _, e := range employees {
		u := s.user(address(e.name))
		everyone.members = append(everyone.members, u)
		switch e.department {
		case "Service Desk":
			desk.members = append(desk.members, u)
		case "Projects":
			projects.members = append(projects.members, u)
		}
	}
	everyone.owners = []*user{s.user("henrik.olsen@nordlicht.example")}
	desk.owners = []*user{s.user("tom.lindqvist@nordlicht.example")}
	projects.owners = []*user{s.user("nina.hoffmann@nordlicht.example")}
	admins.members = []*user{s.user("lars.brandt@nordlicht.example"), s.user("yuki.tanaka@nordlicht.example")}
	desk.parents = []*group{mfa}

	s.roles = []*role{
		{roleProps("Global Administrator", "Can manage all aspects of Microsoft Entra ID.", "62e90394-69f5-4237-9190-012177145e10"), []*user{s.user("henrik.olsen@nordlicht.example"), s.user("yuki.tanaka@nordlicht.example")}},
		{roleProps("Helpdesk Administrator", "Can reset passwords for non-administrators.", "729827e3-9c14-49f7-bb1b-9608f156bbb8"), []*user{s.user(SignedInUser)}},
	}
	s.skus = []object{
		{"id": TenantID + "_" + skuBusinessPremium, "skuId": skuBusinessPremium, "skuPartNumber": "SPB", "appliesTo": "User", "capabilityStatus": "Enabled", "consumedUnits": len(employees), "prepaidUnits": object{"enabled": 15, "suspended": 0, "warning": 0, "lockedOut": 0}, "servicePlans": []any{}},
		{"id": TenantID + "_" + skuPowerBI, "skuId": skuPowerBI, "skuPartNumber": "POWER_BI_STANDARD", "appliesTo": "User", "capabilityStatus": "Enabled", "consumedUnits": 2, "prepaidUnits": object{"enabled": 1000000, "suspended": 0, "warning": 0, "lockedOut": 0}, "servicePlans": []any{}},
	}
}

func roleProps(name, description, template string) object {
	return object{"id": guid("role" + name), "displayName": name, "description": description, "roleTemplateId": template, "deletedDateTime": nil}
}

func (s *Server) addGroup(name, description, alias string, unified bool) *group {
	g := &group{props: object{
		"id": guid("group" + name), "displayName": name, "description": description, "createdDateTime": timestamp(s.started.AddDate(-2, 0, 0)),
		"mailEnabled": unified, "securityEnabled": !unified, "mail": nil, "mailNickname": strings.ReplaceAll(name, " ", ""), "visibility": "Private",
		"groupTypes": []any{}, "proxyAddresses": []any{}, "isAssignableToRole": nil, "onPremisesSyncEnabled": nil, "membershipRule": nil, "classification": nil,
	}}
	if unified {
		g.props["mail"], g.props["groupTypes"] = alias+"@nordlicht.example", []any{"Unified"}
		g.props["proxyAddresses"] = []any{"SMTP:" + alias + "@nordlicht.example"}
	}
	s.groups = append(s.groups, g)
	return g
}

func (s *Server) seedRooms() {
	for _, r := range []struct {
		name, alias, building, floor string
		capacity                     int
		video                        any
	}{
		{"Elbe", "room.elbe", "Speicherstadt", "1st floor", 12, "Teams Room 65"},
		{"Alster", "room.alster", "Speicherstadt", "1st floor", 6, "Teams Room 55"},
		{"Bille", "room.bille", "Speicherstadt", "2nd floor", 4, nil},
	} {
		mail := r.alias + "@nordlicht.example"
		u := s.addUser(r.name, "", "", "", 50)
		u.props["accountEnabled"], u.props["givenName"], u.props["surname"], u.props["department"], u.props["jobTitle"] = false, nil, nil, nil, nil
		u.props["mail"], u.props["userPrincipalName"], u.props["mailNickname"] = mail, mail, r.alias
		u.props["assignedLicenses"], u.licences, u.methods, u.devices = []any{}, nil, nil, nil
		s.newMailbox(u, berlin).settings["userPurpose"] = "room"
		s.rooms = append(s.rooms, object{
			"id": guid("room" + r.alias), "displayName": r.name, "emailAddress": mail, "building": r.building, "floorLabel": r.floor,
			"floorNumber": int(r.floor[0] - '0'), "capacity": r.capacity, "bookingType": "standard", "nickname": r.name, "tags": []any{}, "isWheelChairAccessible": true,
			"videoDeviceName": r.video, "audioDeviceName": nil, "displayDeviceName": nil, "phone": "", "label": "", "placeId": guid("place" + r.alias),
			"address": object{"street": "Speicherstraße 12", "city": "Hamburg", "countryOrRegion": "Germany", "postalCode": "20457"},
		})
	}
}
