package graph

import "github.com/msptoolbelt/toolbelt/auth"

// Cloud is where a tenant lives. The zero value is the global cloud.
//
// https://learn.microsoft.com/graph/deployments
type Cloud struct {
	Name    string     // as configuration names it: "global", "gcc-high", "dod" or "china"
	URL     string     // the root of Microsoft Graph, without a version
	Login   auth.Cloud // the sign-in service
	Uploads []string   // the origins that take the parts of large mail attachments
}

// Global is the worldwide cloud, which also serves GCC.
func Global() Cloud {
	return Cloud{Name: "global", URL: "https://graph.microsoft.com", Login: auth.CloudGlobal,
		Uploads: []string{"https://outlook.office.com", "https://outlook.office365.com"}}
}

// GCCHigh is the cloud of the US government, level 4.
func GCCHigh() Cloud {
	return Cloud{Name: "gcc-high", URL: "https://graph.microsoft.us", Login: auth.CloudGCCHigh,
		Uploads: []string{"https://outlook.office365.us"}}
}

// DoD is the cloud of the US Department of Defense, level 5.
func DoD() Cloud {
	return Cloud{Name: "dod", URL: "https://dod-graph.microsoft.us", Login: auth.CloudDoD,
		Uploads: []string{"https://outlook-dod.office365.us"}}
}

// China is the cloud that 21Vianet operates.
func China() Cloud {
	return Cloud{Name: "china", URL: "https://microsoftgraph.chinacloudapi.cn", Login: auth.CloudChina,
		Uploads: []string{"https://partner.outlook.cn"}}
}

// CloudNamed returns the cloud of that Name; "" is the global one.
func CloudNamed(name string) (Cloud, bool) {
	for _, c := range []Cloud{Global(), GCCHigh(), DoD(), China()} {
		if name == c.Name {
			return c, true
		}
	}
	return Global(), name == ""
}

// DefaultScope is the scope with which an application asks for all permissions
// that were granted to it in this cloud.
func (c Cloud) DefaultScope() string { return c.URL + "/.default" }
