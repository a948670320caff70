package halopsa_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

func TestAttachmentsAreReadWhereverTheBuildPutsThem(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"data_base64", "data", "link"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{AttachmentContent: field})
			page, err := s.client.ListAttachments(t.Context(), halopsa.ListAttachmentsInput{TicketID: halotest.TicketPrinter})
			if err != nil || len(page.Items) != 1 || page.Items[0].Filename != "spooler.log" {
				t.Fatalf("%+v, %v", page, err)
			}
			got, err := s.client.GetAttachment(t.Context(), halopsa.GetAttachmentInput{ID: page.Items[0].ID})
			if err != nil || got.Text != "08:12 spooler stopped\n08:13 spooler started\n" || got.Size != 44 || got.ContentBase64 != "" {
				t.Errorf("%+v, %v", got, err)
			}
			meta, err := s.client.GetAttachment(t.Context(), halopsa.GetAttachmentInput{ID: page.Items[0].ID, As: "metadata"})
			if err != nil || meta.Text != "" || meta.Filename != "spooler.log" || meta.Size != 44 {
				t.Errorf("%+v, %v", meta, err)
			}
		})
	}
}

func TestWhatIsUploadedComesBack(t *testing.T) {
	t.Parallel()
	for name, replies := range map[string]halotest.ReplyShape{"object": halotest.ReplyObject, "array": halotest.ReplyArray, "envelope": halotest.ReplyEnvelope} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, halotest.Options{Replies: replies})
			content := bytes.Repeat([]byte{0, 1, 2, 0xff, '\n'}, 30_000)
			encoded := base64.StdEncoding.EncodeToString(content)
			up, err := s.client.UploadAttachment(t.Context(), halopsa.UploadInput{TicketID: halotest.TicketVPN, Filename: "trace.bin",
				ContentBase64: "data:application/octet-stream;base64," + encoded[:76] + "\r\n" + encoded[76:]})
			if err != nil || up.Size != len(content) || up.Problem != "" {
				t.Fatalf("%+v, %v", up, err)
			}
			if files := s.server.Attachments(halotest.TicketVPN); len(files) != 1 || !bytes.Equal(files[0].Content, content) || files[0].ID != up.ID {
				t.Error("another file was saved")
			}
			if _, err := s.client.GetAttachment(t.Context(), halopsa.GetAttachmentInput{ID: up.ID}); !errors.Is(err, mcptools.CodeNotSupported) || !strings.Contains(err.Error(), "as=base64") {
				t.Errorf("the text of a binary file: %v", err)
			}
			if _, err := s.client.GetAttachment(t.Context(), halopsa.GetAttachmentInput{ID: up.ID, As: "base64"}); !errors.Is(err, mcptools.CodeTooLarge) || !strings.Contains(err.Error(), "max_bytes") {
				t.Errorf("a large file: %v", err)
			}
			got, err := s.client.GetAttachment(t.Context(), halopsa.GetAttachmentInput{ID: up.ID, As: "base64", MaxBytes: 200_000})
			if err != nil || got.ContentBase64 != encoded {
				t.Errorf("%d bytes of base64, %v", len(got.ContentBase64), err)
			}
		})
	}
}

func TestLongFilesComeInParts(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	long := strings.Repeat("09:00 Größe überschritten\n", 1000)
	up, err := s.client.UploadAttachment(t.Context(), halopsa.UploadInput{TicketID: halotest.TicketVPN, Filename: "big.log", ContentBase64: base64.StdEncoding.EncodeToString([]byte(long))})
	if err != nil {
		t.Fatal(err)
	}
	text, in := "", halopsa.GetAttachmentInput{ID: up.ID}
	for range 5 {
		part, err := s.client.GetAttachment(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		text += part.Text
		if in.Offset = part.NextOffset; in.Offset == 0 {
			break
		}
	}
	if text != long {
		t.Errorf("%d of %d bytes", len(text), len(long))
	}
}

// Models write text, and rarely right base64.
func TestTextIsAttachedAsItIs(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	const text = "Größe: 4 \"\n"
	up, err := s.client.UploadAttachment(t.Context(), halopsa.UploadInput{TicketID: halotest.TicketVPN, Filename: "size.txt", Text: text})
	if err != nil || up.Size != len(text) || up.Problem != "" {
		t.Fatalf("%+v, %v", up, err)
	}
	got, err := s.client.GetAttachment(t.Context(), halopsa.GetAttachmentInput{ID: up.ID})
	if err != nil || got.Text != text {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestFilesThatCannotBeAttachedAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for name, in := range map[string]halopsa.UploadInput{
		"a path":        {Filename: "/etc/passwd", ContentBase64: "QQ=="},
		"a parent":      {Filename: "..", ContentBase64: "QQ=="},
		"a drive":       {Filename: `C:\x.txt`, ContentBase64: "QQ=="},
		"a stream":      {Filename: "x.txt:hidden", ContentBase64: "QQ=="},
		"a line break":  {Filename: "x\n.txt", ContentBase64: "QQ=="},
		"no name":       {ContentBase64: "QQ=="},
		"no content":    {Filename: "x.txt"},
		"both":          {Filename: "x.txt", ContentBase64: "QQ==", Text: "A"},
		"no base64":     {Filename: "x.txt", ContentBase64: "what?"},
		"too much":      {Filename: "x.txt", ContentBase64: strings.Repeat("QUFB", 4<<20)},
		"no ticket":     {Filename: "x.txt", ContentBase64: "QQ==", TicketID: 99999},
		"ticket unsaid": {Filename: "x.txt", ContentBase64: "QQ==", TicketID: -1},
	} {
		if in.TicketID == 0 {
			in.TicketID = halotest.TicketVPN
		}
		_, err := s.client.UploadAttachment(t.Context(), in)
		if e, ok := errors.AsType[*mcptools.Error](err); !ok || e.Code != mcptools.CodeInvalidArguments && e.Code != mcptools.CodeTooLarge && e.Code != mcptools.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if files := s.server.Attachments(halotest.TicketVPN); len(files) > 0 {
		t.Errorf("saved %d files", len(files))
	}
}

// Whether end users see a file is read back where the reply does not say it.
func TestVisibilityOfAFile(t *testing.T) {
	t.Parallel()
	upload := func(s *suite, visible bool) *halopsa.UploadOutput {
		t.Helper()
		got, err := s.client.UploadAttachment(t.Context(), halopsa.UploadInput{TicketID: halotest.TicketPrinter, Filename: "a.txt", Text: "x", VisibleToUser: visible})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	s := start(t, halotest.Options{}, func(o *halopsa.Options) { o.Resilience.Base = silent{resilience.NewBase(), "showforusers"} })
	if got := upload(s, false); got.Problem != "" || got.Warning != "" {
		t.Errorf("read back: %+v", got)
	}
	for _, asked := range []bool{false, true} {
		s = start(t, halotest.Options{}, func(o *halopsa.Options) {
			other := meddler{resilience.NewBase(), func(object map[string]any) {
				if _, file := object["data_base64"]; file {
					object["showforusers"] = !asked
				}
			}}
			o.Resilience.Base = silent{other, "showforusers"}
		})
		if got := upload(s, asked); got.Problem == "" {
			t.Errorf("asked for visible %v: %+v", asked, got)
		}
	}
}
