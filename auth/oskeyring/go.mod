module github.com/msptoolbelt/toolbelt/auth/oskeyring

go 1.26.0

require (
	github.com/msptoolbelt/toolbelt v0.0.0
	github.com/zalando/go-keyring v0.2.8
)

require (
	github.com/danieljoos/wincred v1.2.3 // indirect
	github.com/godbus/dbus/v5 v5.2.2 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
	golang.org/x/sys v0.45.0 // indirect
)

replace github.com/msptoolbelt/toolbelt => ../..
