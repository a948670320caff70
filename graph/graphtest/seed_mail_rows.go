package graphtest

const quoteHead = `<hr tabindex="-1" style="display:inline-block; width:98%"><div id="divRplyFwdMsg" dir="ltr">`

// samsMail is what Sam Okafor finds in his mailbox, newest first. The story
// that demos tell begins with the first row.
var samsMail = []seedMail{
	{
		from: "Anna Berg", hours: 0.7, unread: true, subject: "Label printer in hall 3 prints blank labels", files: printerLog,
		body: `<html><head><style>p{font-family:Calibri}</style></head><body><p>Hello Sam,</p><p>since this morning the <b>label printer in hall 3</b> (Zebra ZT411, <a href="https://assets.hafenlogistik.example/HL-PRN-0031">HL-PRN-0031</a>) prints blank labels. We changed the roll twice, no difference. Two trucks are waiting for their papers.</p><ul><li>started: about 8:00</li><li>affects: everybody in hall 3</li><li>the printer in hall 2 works</li></ul><p>The log is attached. Could somebody have a look today?</p><p>Kind regards<br>Anna Berg<br>Dispatch, Hafen Logistik GmbH</p><img src="cid:logo.png" width="120"></body></html>`,
	},
	{from: "Priya Nair", hours: 1.5, unread: true, subject: "Who takes the afternoon shift?", body: "Hi Sam,\nElif is at the dentist from 14:00. Can you take the phone until 17:00?\nPriya"},
	{from: "Tom Lindqvist", hours: 3, unread: true, flag: "flagged", subject: "Please log your hours for Hafen Logistik before noon", body: "Sam, invoicing runs today. Three of your tickets have no time on them. Tom"},
	{from: "Dr. Lena Vogt", hours: 4, subject: "New assistant starts on Monday", thread: "onboarding", body: "Dear Sam,\n\nMs Friederike Lang starts on Monday. She needs a PC account, mail and access to the practice software.\n\nBest regards\nDr. Lena Vogt\nAlster Dental"},
	{folder: "sentitems", to: "Dr. Lena Vogt", hours: 3.5, subject: "RE: New assistant starts on Monday", thread: "onboarding", body: `<html><body><p>Dear Dr. Vogt,</p><p>gladly. Which rights does she need in the practice software?</p><p>Sam Okafor</p>` + quoteHead + `<b>From:</b> Dr. Lena Vogt<br><b>Subject:</b> New assistant starts on Monday</div><p>Ms Friederike Lang starts on Monday. She needs a PC account, mail and access to the practice software.</p></body></html>`},
	{from: "Dr. Lena Vogt", hours: 2.2, unread: true, subject: "RE: New assistant starts on Monday", thread: "onboarding", body: `<html><body><p>The same as Ms Jansen, please.</p><p>Lena Vogt</p>` + quoteHead + `<b>From:</b> Sam Okafor<br><b>Subject:</b> RE: New assistant starts on Monday</div><p>Dear Dr. Vogt, gladly. Which rights does she need in the practice software?</p>` + quoteHead + `<b>From:</b> Dr. Lena Vogt</div><p>Ms Friederike Lang starts on Monday.</p></body></html>`},
	{from: "Jonas Weber", cc: "Mira Koch", hours: 22, subject: "VPN drops every hour", thread: "vpn", body: `<html><body><p>Hello,</p><p>my VPN connection from home drops every hour, exactly. Teams calls break off each time.</p><p>Jonas Weber</p></body></html>`},
	{folder: "sentitems", to: "Jonas Weber", cc: "Mira Koch", hours: 21, subject: "RE: VPN drops every hour", thread: "vpn", body: `<html><body><p>Hello Jonas,</p><p>that smells of a rekey timer. I changed it on our side; please connect once more and watch it for two hours.</p><p>Sam</p>` + quoteHead + `<b>From:</b> Jonas Weber<br><b>Subject:</b> VPN drops every hour</div><p>my VPN connection from home drops every hour, exactly.</p></body></html>`},
	{from: "Jonas Weber", cc: "Mira Koch", hours: 17, subject: "RE: VPN drops every hour", thread: "vpn", body: `<html><body><p>Stable since noon, thank you!</p><p>Jonas</p>` + quoteHead + `<b>From:</b> Sam Okafor<br><b>Subject:</b> RE: VPN drops every hour</div><p>that smells of a rekey timer. I changed it on our side.</p></body></html>`},
	{from: "Jonas Weber", hours: 26, subject: "Mail to our forwarder comes back", files: bounced, body: "Hello Sam,\nthe attached mail came back with \"550 relay denied\". Is that us or them?\nJonas"},
	{from: "Lars Brandt", hours: 27, subject: "Firewall export for the audit", files: firewallExport, body: "Sam, here is the export of the Hafen Logistik firewall for the audit. It is big. Lars"},
	{from: "Marco Rossi", hours: 30, subject: "Offer 2041 for Alster Dental", files: offerPDF, body: "Hi Sam, could you check the hardware list in the offer? Marco"},
	{from: "Elif Demir", hours: 32, subject: "Handover: Mira's notebook", body: "I ordered the new docking station for Mira Koch. It comes on Friday, please swap it then. Elif"},
	{from: "Mira Koch", folder: "Hafen Logistik", hours: 50, subject: "Docking station does not charge", body: "Hello, my docking station no longer charges the notebook. The display works. Mira Koch"},
	{from: "Anna Berg", folder: "Hafen Logistik", hours: 200, subject: "Scanner in hall 1", body: "The hand scanner in hall 1 is back, thanks for the quick help! Anna Berg"},
	{from: "Anna Berg", folder: "Hafen Logistik", hours: 420, subject: "Printer contract", body: "Hello Sam, our maintenance contract for the label printers ends in spring. Whom do I ask for an offer? Anna"},
	{from: "Dr. Lena Vogt", folder: "Alster Dental", hours: 300, subject: "Backup of the practice server", files: report, body: "Dear Sam, the report says warning. Do I need to do something? Lena Vogt"},
	{from: "Henrik Olsen", hours: 28, subject: "Quarterly all-hands on Thursday", body: "Dear all, we meet at 10:00 in room Elbe. Henrik"},
	{from: "Aylin Kaya", hours: 75, subject: "Your holiday request is approved", body: "Hello Sam, your holiday request is approved. Enjoy! Aylin"},
	{from: "Jana Petersen", hours: 90, subject: "Travel expenses", body: "Hello Sam, the receipt for the train to Kiel is missing. Jana"},
	{from: "Yuki Tanaka", hours: 100, subject: "Conditional access change tonight", body: "From 20:00 on, sign-ins from outside the EU need a compliant device. Tell me if a customer calls. Yuki"},
	{from: "Nina Hoffmann", hours: 120, subject: "Hall 3 roll-out plan", body: "<html><body><h2>Hall 3 roll-out</h2><table border=\"1\"><tr><th>Week</th><th>What</th></tr><tr><td>1</td><td>Cabling</td></tr><tr><td>2</td><td>Access points</td></tr></table><p>Nina</p></body></html>"},
	{from: "Oskar Lehmann", hours: 130, subject: "Question about password resets", body: "Hi Sam, do I have to call people back before I reset a password? Oskar"},
	{folder: "sentitems", to: "Oskar Lehmann", hours: 129, subject: "RE: Question about password resets", body: "Always, on the number in Halo. Sam"},
	{folder: "sentitems", to: "Anna Berg", hours: 199, subject: "RE: Scanner in hall 1", body: "Glad it works. Sam"},
	{folder: "sentitems", to: "Tom Lindqvist", hours: 48, subject: "Weekly summary", body: "14 tickets closed, 3 waiting for customers. Sam"},
	{folder: "drafts", to: "Marco Rossi", hours: 6, subject: "RE: Offer 2041 for Alster Dental", body: "Hi Marco, the list is fine but for the "},
	{folder: "junkemail", from: "Parcel Service <info@parcel-tracking.example>", hours: 40, unread: true, subject: "Your parcel is waiting", body: "<html><body><p>Click <a href=\"http://parcel-tracking.example/x\">here</a> to release your parcel.</p></body></html>"},
	{folder: "deleteditems", from: "Newsletter <news@vendor.example>", hours: 60, subject: "Ten tips for faster Wi-Fi", body: "<html><body><h1>Ten tips</h1><p>Number one will surprise you.</p></body></html>"},
	{folder: "archive", from: "Tom Lindqvist", hours: 900, subject: "Welcome to the second level team", body: "Sam, welcome to the team. Tom"},
	{from: "Microsoft Security <no-reply@security.example>", hours: 12, unread: true, subject: "Weekly digest: 2 new recommendations", body: "<html><body><p>You have 2 new recommendations.</p></body></html>"},
	{from: "Backup <no-reply@backup.nordlicht.example>", hours: 9, subject: "Backup job Alster Dental: success", body: "All 4 machines were backed up."},
	{from: "Backup <no-reply@backup.nordlicht.example>", hours: 33, subject: "Backup job Alster Dental: warning", body: "1 of 4 machines had open files.", files: report},
	{from: "Mira Koch", hours: 47, unread: true, subject: "Access to the folder Customs 2026", body: "Hello, I need read access to the folder Customs 2026 on drive K. My manager agrees. Mira Koch"},
	{from: "Anna Berg", hours: 71, subject: "Re: appointment for the access points", body: "Tuesday at nine is fine. Anna"},
	{from: "Service Desk <servicedesk@nordlicht.example>", hours: 15, subject: "Ticket 10482 was assigned to you", body: "Ticket 10482 \"VPN drops every hour\" was assigned to you."},
	{from: "Tom Lindqvist", cc: "Priya Nair, Elif Demir", hours: 55, subject: "On-call plan for December", body: "The on-call plan is in the calendar. Swap among yourselves. Tom"},
	{from: "Lars Brandt", hours: 150, subject: "Switch firmware at Hafen Logistik", body: "All 14 switches run 17.9.4 now. Lars"},
}
