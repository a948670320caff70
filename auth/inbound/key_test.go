package inbound

import "testing"

// FuzzKeys finds that whatever an issuer publishes, what is taken of it is a
// named key of a known kind, and that checking a signature with it does not
// panic.
func FuzzKeys(f *testing.F) {
	for _, set := range []string{
		``, `null`, `[]`, `{"keys":null}`, `{"keys":[null,1,"x",{}]}`,
		`{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","key_ops":["verify"],"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="}]}`,
		`{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}`,
	} {
		f.Add([]byte(set))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseKeys(data)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for id, list := range keys {
			for _, k := range list {
				fits := 0
				for _, algorithm := range []string{RS256, PS256, ES256, EdDSA, "none", "HS256", ""} {
					if k.fits(algorithm) {
						fits++
					}
					// Of Ed25519 there are a few keys for which that is true.
					if k.verify(algorithm, "x", make([]byte, 64)) && algorithm != EdDSA {
						t.Errorf("%s: zeros are a signature", algorithm)
					}
				}
				if id == "" || k.id != id || fits > 2 || k.fits("none") || k.fits("HS256") || k.fits("") {
					t.Errorf("key %+v fits %d", k, fits)
				}
			}
		}
	})
}
