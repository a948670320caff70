package auth

import "strings"

// sensitivity says how a field's name decides about its value.
type sensitivity uint8

const (
	plainField sensitivity = iota
	// suspectField: the name also stands for harmless values ("code": 404,
	// "no token: expired"), so the value's own look decides.
	suspectField
	secretField
	// lineField: the value is all the rest of the line, as in a header.
	lineField
)

// secretNames are the ends of names of fields whose values are confidential,
// in lower case and without separators: "clientsecret" is covered by "secret".
var secretNames = [...]string{
	"secret", "password", "passwd", "pwd", "passphrase", "credential", "credentials",
	"token", "tokens", "apikey", "subscriptionkey", "accountkey", "sharedkey", "privatekey", "encryptionkey", "signingkey",
	"assertion", "verifier", "devicecode", "authcode", "authorizationcode", "accesscode", "proofkey", "tokenhint",
	"sig", "signature", "tempauth", "authkey", "sessionkey", "connectionstring", "secrettext", "secretvalue",
}

const (
	shortestName = 3
	longestName  = 40
)

// nameEnds has a bit for each pair of last letters that a name of interest can
// have, by the last one.
var nameEnds = func() (ends [256]uint32) {
	names := append(secretNames[:], "authorization", "cookie", "cookie2", "code", "state", "nonce", "pass")
	for _, name := range names {
		n := len(name)
		ends[name[n-1]] |= 1 << (name[n-2] & 31)
		ends[name[n-1]&^0x20] |= 1 << (name[n-2] & 31) // in upper case
	}
	return ends
}()

// secretEnds are the secretNames by their last letters.
var secretEnds = func() (ends [256][]string) {
	for _, name := range secretNames {
		last := name[len(name)-1]
		ends[last] = append(ends[last], name)
	}
	return ends
}()

// mayBeSensitive is quick and right about nearly every word that is not.
func mayBeSensitive(name string) bool {
	n := len(name)
	return shortestName <= n && n <= longestName && nameEnds[name[n-1]]>>(name[n-2]&31)&1 != 0
}

// sensitive classifies the name of a field, in any of the usual spellings:
// client_secret, client-secret, clientSecret, HALO_CLIENT_SECRET.
func sensitive(name string) sensitivity {
	if !mayBeSensitive(name) {
		return plainField
	}
	var buffer [longestName]byte
	plain := buffer[:0]
	for i := range len(name) {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			plain = append(plain, c-'A'+'a')
		case c != '_' && c != '-' && c != '.':
			plain = append(plain, c)
		}
	}
	if len(plain) == 0 {
		return plainField
	}
	switch string(plain) {
	case "code", "token", "state", "nonce", "pass":
		return suspectField
	case "tokens", "inputtokens", "outputtokens", "maxtokens", "totaltokens", "prompttokens", "completiontokens":
		return plainField
	case "authorization", "proxyauthorization", "cookie", "setcookie", "cookie2", "setcookie2", "xforwardedauthorization":
		return lineField
	}
	for _, end := range secretEnds[plain[len(plain)-1]] {
		if len(plain) >= len(end) && string(plain[len(plain)-len(end):]) == end {
			// "sig" ends words such as "config" too.
			if end == "sig" && len(plain) > 3 || end == "pwd" && len(plain) > 3 && plain[len(plain)-4] == 'c' {
				continue
			}
			return secretField
		}
	}
	return plainField
}

// wordy reports whether text reads like a word or an identifier such as
// invalid_client or ResourceNotFound, and not like something drawn at random.
func wordy(text string) bool {
	words, run, upper, lower := 0, 0, 0, 0
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z':
			if run == 0 {
				words++
			}
			run, lower = run+1, lower+1
		case 'A' <= c && c <= 'Z':
			if i == 0 || text[i-1] < 'A' || text[i-1] > 'Z' {
				words++
			}
			run, upper = 1, upper+1
		case c == '_' || c == '-' || c == '.' || c == '\'':
			run = 0
		default:
			return false
		}
	}
	mixed := lower > 0 && 20*upper > 9*len(text) // more capitals than any word has
	return words > 0 && len(text) >= 4*words && !mixed || len(text) < 4
}

// telling reports whether a value under a suspect name is confidential.
func telling(value string) bool {
	return len(value) >= 16 && !wordy(value)
}

// randomish reports whether a run of 32 or more characters looks drawn at
// random, as tokens and keys are, and not like an id that people need to see:
// a UUID, a trace id, an id of Exchange or of a drive, an identifier of Go.
func randomish(text string) bool {
	if len(text) == 36 && isUUID(text) || knownID(text) {
		return false
	}
	var lower, upper, digit, hex, turns int
	last := byte(0)
	for i := range len(text) {
		kind := byte('-')
		switch c := text[i]; {
		case 'a' <= c && c <= 'z':
			lower, kind = lower+1, 'a'
			if c <= 'f' {
				hex++
			}
		case 'A' <= c && c <= 'Z':
			upper, kind = upper+1, 'A'
			if c <= 'F' {
				hex++
			}
		case '0' <= c && c <= '9':
			digit, kind = digit+1, '0'
			hex++
		case c == '-':
			hex++
		}
		if kind != last {
			turns++
		}
		last = kind
	}
	n := len(text)
	switch {
	case hex == n:
		return n >= 40 && !traceParent(text)
	case lower > 0 && upper > 0 && digit > 0:
		return digit > 2 || 3*turns >= n
	case digit > 0:
		return n >= 40 && 10*digit >= n
	default:
		return n >= 40 && lower > 0 && upper > 0 && (5*turns >= 2*n || !wordy(text))
	}
}

// traceParent recognises the header of W3C Trace Context.
func traceParent(text string) bool {
	return len(text) == 55 && text[2] == '-' && text[35] == '-' && text[52] == '-' && strings.Count(text, "-") == 3
}

// scattered reports whether a run with dots in it looks random all the same:
// letters of both cases and digits in quick succession.
func scattered(text string) bool {
	var turns int
	var seen [4]bool
	last := byte(0)
	for i := range len(text) {
		kind := byte(3)
		switch c := text[i]; {
		case 'a' <= c && c <= 'z':
			kind = 0
		case 'A' <= c && c <= 'Z':
			kind = 1
		case '0' <= c && c <= '9':
			kind = 2
		}
		seen[kind] = true
		if kind != last {
			turns++
		}
		last = kind
	}
	return seen[0] && seen[1] && seen[2] && 3*turns >= len(text) && !isUUID(text)
}

// knownID recognises the ids of Exchange items and of drives, which are long
// and look random but open nothing.
func knownID(text string) bool {
	for _, prefix := range [...]string{"AAMk", "AQMk", "AAQk", "AQQk", "b!"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}
