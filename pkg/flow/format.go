package flow

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// entry is a flow in a flows file, in the order of its fields.
type entry struct {
	Key        Key    `yaml:"key"`
	Name       string `yaml:"name"`
	Active     bool   `yaml:"active"`
	QuietHours bool   `yaml:"quiet_hours"`
	Window     string `yaml:"window"`
	PerCharge  int    `yaml:"per_charge"`
	DailyCap   bool   `yaml:"daily_cap"`
	Text       string `yaml:"text"`
}

// Format writes flows as a flows file, which Parse reads.
func Format(flows []Flow) ([]byte, error) {
	entries := make([]entry, len(flows))
	for i, f := range flows {
		entries[i] = entry{
			Key: f.Key, Name: f.Name, Active: f.Active, QuietHours: f.QuietHours,
			Window: f.Window.String(), PerCharge: f.PerCharge, DailyCap: f.DailyCap, Text: f.Text,
		}
	}
	var file bytes.Buffer
	encoder := yaml.NewEncoder(&file)
	encoder.SetIndent(2)
	if err := encoder.Encode(entries); err != nil {
		return nil, fmt.Errorf("write flows: %w", err)
	}
	return file.Bytes(), nil
}
