package app

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// texting counts whom the stores may text. Counting takes a tenth of a second for a million numbers, so the counts are up to a minute old.
type texting struct {
	texter *texter
	stores []config.Store // that send texts

	mutex  sync.Mutex
	at     time.Time
	counts map[string]map[string]int
}

const countEvery = time.Minute

// report is what is exported.
func (t *texting) report() (all []telemetry.Texting) {
	if len(t.stores) == 0 {
		return nil
	}
	counts := t.numbers()
	for _, store := range t.stores {
		paused := map[string]bool{}
		for _, key := range flow.Keys() {
			paused[string(key)] = t.texter.flows.paused(store.Name, key)
		}
		all = append(all, telemetry.Texting{Store: store.Name, Consent: store.SMS.Consent, Numbers: counts[store.Name], Paused: paused})
	}
	return all
}

// numbers returns how many numbers of each store have opted in and out; nothing until that is read.
func (t *texting) numbers() map[string]map[string]int {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	select {
	case <-t.texter.consent.Ready():
	default:
		return nil
	}
	if now := t.texter.app.now(); now.Sub(t.at) >= countEvery {
		t.at, t.counts = now, map[string]map[string]int{}
		for _, store := range t.stores {
			in, out := t.texter.consent.Count(store.Name)
			t.counts[store.Name] = map[string]int{string(consent.OptedIn): in, string(consent.OptedOut): out}
		}
	}
	return t.counts
}

// logReady logs whom each store may text.
func (t *texting) logReady() {
	counts := t.numbers()
	for _, store := range t.stores {
		t.texter.app.log.Info("consent read", zap.String("store", store.Name), zap.String("consent", store.SMS.Consent),
			zap.String("texts_go_to", consent.Mode(store.SMS.Consent).Explain()),
			zap.Int("opted_in", counts[store.Name][string(consent.OptedIn)]), zap.Int("opted_out", counts[store.Name][string(consent.OptedOut)]))
	}
}
