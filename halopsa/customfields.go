package halopsa

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// customField is a field that the tenant added, with its value.
type customField struct {
	ID        whole  `json:"id"`
	Name      string `json:"name"`
	Label     string `json:"label"`
	Value     any    `json:"value"`
	Display   string `json:"display"`
	Encrypted truth  `json:"isencrypted"`
}

// maxShown bounds how many custom fields of a record are shown.
const maxShown = 20

// shownFields are the custom fields that have a value, by label.
func shownFields(fields []customField) map[string]string {
	shown := map[string]string{}
	for _, f := range fields {
		text := f.Display
		if text == "" && f.Value != nil {
			text = fmt.Sprint(f.Value)
		}
		if text != "" && !bool(f.Encrypted) && len(shown) < maxShown {
			shown[cmp.Or(f.Label, f.Name)] = markup.Preview(text, 200)
		}
	}
	return shown
}

// mergedFields returns what to write so that the wanted custom fields, named by
// label, name or id, change and the others stay: Halo replaces the whole list.
func (c *Client) mergedFields(ctx context.Context, have []customField, wanted map[string]any) ([]fields, error) {
	values := map[int]any{}
	for _, text := range slices.Sorted(maps.Keys(wanted)) {
		entry, err := c.resolve(ctx, "custom_field", text)
		if err != nil {
			return nil, err
		}
		values[entry.ID] = wanted[text]
	}
	var merged []fields
	for _, f := range have {
		value, changes := values[int(f.ID)]
		delete(values, int(f.ID))
		switch {
		case changes:
			merged = append(merged, fields{"id": int(f.ID), "value": value})
		case f.Value != nil && f.Value != "" && bool(f.Encrypted):
			// Its value reads as a mask, and left out it would be gone.
			return nil, mcptools.Errorf(mcptools.CodeNotSupported, "custom_fields: the encrypted field %s would be lost with this", markup.Preview(cmp.Or(f.Label, f.Name), 80)).
				WithHint("change custom fields of this ticket in HaloPSA")
		case f.Value != nil:
			merged = append(merged, fields{"id": int(f.ID), "value": f.Value})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(values)) {
		merged = append(merged, fields{"id": id, "value": values[id]})
	}
	return merged, nil
}
