package auth_test

import (
	"context"

	"golang.org/x/oauth2"
)

type signIns struct{}

func (signIns) fetch(context.Context, *oauth2.Token) (*oauth2.Token, error) { panic("asked") }
