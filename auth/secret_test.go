package auth_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	texttemplate "text/template"

	"github.com/msptoolbelt/toolbelt/auth"
)

// TestSecretNeverShows formats, encodes, logs and dissects a Secret in every
// way that the standard library has.
func TestSecretNeverShows(t *testing.T) {
	const value = "c4n4ry-Value~1"
	secret := auth.NewSecret(value)
	type config struct {
		Name   string
		Secret auth.Secret
		Ref    *auth.Secret
		List   []auth.Secret
		Map    map[string]auth.Secret
		Any    any
		inner  auth.Secret
	}
	c := config{"x", secret, &secret, []auth.Secret{secret}, map[string]auth.Secret{"k": secret}, secret, secret}
	out := map[string]string{"secret": secret.String() + secret.GoString()}
	for verb := range strings.SplitSeq("v +v #v s q x X d b o e g t c U p w 10s -20q .3s # #x", " ") {
		out["%"+verb] = fmt.Sprintf("%"+verb+" %"+verb+" %"+verb+" %"+verb+" %"+verb, secret, &secret, c, &c, []any{secret, c})
	}
	out["print"] = fmt.Sprint(secret, c) + fmt.Sprintln(&secret, &c) + fmt.Errorf("%w %v", secretError{secret}, c).Error()
	out["json"] = must(json.Marshal(c))
	type element struct {
		Secret auth.Secret
		Attr   auth.Secret `xml:",attr"`
	}
	out["xml"] = must(xml.Marshal(element{secret, secret}))
	out["text"] = must(secret.MarshalText())
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(c); err != nil {
		b.WriteString(err.Error())
	}
	if err := gob.NewEncoder(&b).Encode(secret); err != nil {
		b.WriteString(err.Error())
	}
	out["gob"] = b.String()
	b.Reset()
	for _, handler := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(handler).With("s", secret).Info("x", "s", secret, "p", &secret, "c", c, "cp", &c, slog.Group("g", "s", secret))
	}
	out["slog"] = b.String()
	b.Reset()
	page := `{{.}} {{.Secret}} {{.List}} {{printf "%#v" .}} <script>{{.Secret}}</script><a href="?x={{.Secret}}">`
	if err := texttemplate.Must(texttemplate.New("").Parse(page)).Execute(&b, c); err != nil {
		t.Error(err)
	}
	if err := template.Must(template.New("").Parse(page)).Execute(&b, c); err != nil {
		t.Error(err)
	}
	out["template"] = b.String()
	b.Reset()
	dump(&b, reflect.ValueOf(c), 0)
	dump(&b, reflect.ValueOf(&secret), 0)
	out["reflection"] = b.String()
	for way, text := range out {
		if strings.Contains(text, "c4n4ry") || strings.Contains(text, fmt.Sprintf("%x", "c4n4ry")) || strings.Contains(text, fmt.Sprintf("%X", "c4n4ry")) {
			t.Errorf("%s shows it: %s", way, text)
		}
	}
	if !strings.Contains(out["json"], "[REDACTED]") || !strings.Contains(out["slog"], "[REDACTED]") || !strings.Contains(out["reflection"], "func") {
		t.Errorf("nothing was shown at all: %v", out)
	}
	if secret.Expose() != value || !secret.Equal(auth.NewSecret(value)) || secret.Equal(auth.Secret{}) {
		t.Error("the value itself is lost")
	}
}

type secretError struct{ auth.Secret }

func (e secretError) Error() string { return fmt.Sprint(e.Secret) }

func must(text []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(text)
}

// dump writes all that reflection can reach, unexported fields too, as the
// printers for debugging do.
func dump(b *bytes.Buffer, v reflect.Value, depth int) {
	if depth > 20 {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			b.WriteString(v.Type().Field(i).Name + ": ")
			dump(b, v.Field(i), depth+1)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			dump(b, v.Elem(), depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			dump(b, v.Index(i), depth+1)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			dump(b, key, depth+1)
			dump(b, v.MapIndex(key), depth+1)
		}
	default:
		fmt.Fprintf(b, "%s %s\n", v.Kind(), v.String())
		if v.CanInterface() {
			fmt.Fprintf(b, "%#v\n", v.Interface())
		}
	}
}
