package settings

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// Setting is a row of recharge.settings. A kind that this version does not know is empty.
type Setting struct {
	Flow *Flow
}

// Settings is recharge.settings, and the name of the transactional id that changes it.
type Settings struct {
	Topic[Setting]
	Writer string
}

// New returns the settings under a prefix of topics.
func New(prefix string) Settings {
	return Settings{
		Topic:  Topic[Setting]{Name: prefix + "recharge.settings", Decode: decode},
		Writer: prefix + "rechargeflow.settings",
	}
}

// The keys of rows. The current row of a flow has the key {store}/flow/{flow}, and the same row for the history
// {store}/flow/{flow}/v/{version}.
const (
	kindFlow    = "flow"
	versionPart = "/v/"
)

func flowKey(store string, key flow.Key) string { return store + "/" + kindFlow + "/" + string(key) }

func historyKey(f Flow) string {
	return flowKey(f.Store, f.Key) + versionPart + strconv.Itoa(f.Version)
}

func decode(key string, value []byte) (Setting, error) {
	_, rest, _ := strings.Cut(key, "/")
	kind, _, _ := strings.Cut(rest, "/")
	if kind != kindFlow {
		return Setting{}, nil
	}
	var f Flow
	if err := json.Unmarshal(value, &f); err != nil {
		return Setting{}, err
	}
	if current := flowKey(f.Store, f.Key); f.Version < 1 || key != current && key != historyKey(f) {
		return Setting{}, fmt.Errorf("the value is of flow %q of store %q, version %d", f.Key, f.Store, f.Version)
	}
	return Setting{Flow: &f}, nil
}
