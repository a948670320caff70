package halopsa_test

import (
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

func TestGlobalSearchShowsEveryKind(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	got, err := s.client.GlobalSearch(t.Context(), halopsa.GlobalSearchInput{Query: "printer", PerEntity: 2})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, hit := range got.Items {
		kinds[hit.Kind]++
		if hit.ID == 0 || hit.Name == "" {
			t.Errorf("%+v", hit)
		}
	}
	if kinds["ticket"] == 0 || kinds["kb_article"] == 0 || kinds["ticket"] > 2 {
		t.Errorf("%v", kinds)
	}
	if _, err := s.client.GlobalSearch(t.Context(), halopsa.GlobalSearchInput{Query: " "}); err == nil {
		t.Error("looked for nothing")
	}
}
