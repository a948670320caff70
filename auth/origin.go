package auth

import (
	"errors"
	"net/url"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

var errInsecure = errors.New("must be an https URL with a host and without user information (http only on loopback)")

// originOf returns the origin of u, or errInsecure if a credential must not
// travel there.
func originOf(u *url.URL) (origin.Origin, error) {
	o, err := origin.Of(u)
	if err != nil {
		return o, errInsecure
	}
	return o, nil
}
