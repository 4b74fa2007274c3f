package app

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
	"github.com/rechargeflow/rechargeflow/pkg/flowedit"
	"github.com/rechargeflow/rechargeflow/pkg/sending"
	live "github.com/rechargeflow/rechargeflow/pkg/settings"
)

// Settings returns the settings that change at run time.
func Settings(k config.Kafka) live.Settings { return live.New(k.TopicPrefix) }

// ShopOf returns the shop's data for the texts of a store.
func ShopOf(store config.Store) flow.Shop {
	shop := flow.Shop{
		Name: store.SMS.ShopName, URL: store.SMS.ShopURL,
		PortalURL: store.SMS.PortalURL, ActivationURL: store.SMS.ActivationURL, PaymentURL: store.SMS.PaymentURL,
		OptOut: ours(store.SMS, store.SMS.OptOutText), OwnTexts: store.SMS.Mode == config.SMSTrigger,
	}
	if store.ShortensLinks() {
		shop.LinksURL = store.SMS.Links.URL
	}
	return shop
}

// EditorOf returns what decides on changes of a store's flows.
func EditorOf(store config.Store) flowedit.Editor {
	return flowedit.Editor{Store: store.Name, Shop: ShopOf(store)}
}

// helpText returns the answer to a reply such as HELP; "" if there is none. It begins with the name of the shop, so it needs one.
func helpText(s config.SMS) string {
	if s.ShopName == "" {
		return ""
	}
	return ours(s, s.HelpText)
}

// ours returns a text that is none where the destination has its own.
func ours(s config.SMS, text string) string {
	if text == "none" || s.Mode == config.SMSTrigger || consent.Mode(s.Consent) == consent.ModeDestination {
		return ""
	}
	return text
}

// flowBook has the flows of the stores that send texts, and how the stores send, as they are set now.
type flowBook struct {
	table  *live.Table[live.Setting]
	stores []config.Store
	log    *zap.Logger
	page   atomic.Pointer[flowPage]
}

// flowPage is the flows at one moment. It never changes.
type flowPage struct {
	flows   map[string]map[flow.Key]flow.Flow // by store
	sending map[string]live.Sending           // by store
	paused  map[string]live.Sending           // by store: the version since which texts are paused
	faults  error                             // of active flows; they are not active here
}

// newFlowBook returns the flows of stores, none until its table has run.
func newFlowBook(k config.Kafka, stores []config.Store, log *zap.Logger) *flowBook {
	b := &flowBook{table: live.NewTable(Settings(k).Topic, log), stores: stores, log: log}
	b.page.Store(&flowPage{})
	b.table.OnChange(b.turn)
	return b
}

// of returns what finds a flow of a store.
func (b *flowBook) of(store string) func(flow.Key) flow.Flow {
	return func(key flow.Key) flow.Flow { return b.page.Load().flows[store][key] }
}

// sendingOf returns what returns how a store sends.
func (b *flowBook) sendingOf(store string) func() sending.Settings {
	return func() sending.Settings { return b.page.Load().sending[store].Settings }
}

// paused reports whether the texts of a store's flow are held.
func (b *flowBook) paused(store string, key flow.Key) bool {
	return b.page.Load().sending[store].Holds(key)
}

// ready is a check for /readyz.
func (b *flowBook) ready() error {
	if !b.table.IsReady() {
		return errors.New("the flows were not read yet")
	}
	return nil
}

// trouble is a check for /readyz: rows that can't be read, and active flows that can't be sent with the store's configuration.
func (b *flowBook) trouble() error {
	return errors.Join(b.table.Rows().Unreadable(), b.page.Load().faults)
}

// held is a check for /readyz: texts that are held because an operator has paused them.
func (b *flowBook) held() error {
	var held []error
	for _, store := range b.stores {
		page := b.page.Load()
		s, since, what := page.sending[store.Name], page.paused[store.Name], ""
		switch {
		case s.Paused:
			what = "all texts are"
		case len(s.PausedFlows) > 0:
			what = fmt.Sprintf("texts of %v are", s.PausedFlows)
		default:
			continue
		}
		held = append(held, fmt.Errorf("store %s: %s paused by %s since %s; rechargeflow sms resume sends them", store.Name, what, cmp.Or(since.By, "nobody"), since.At.Format(time.RFC3339)))
	}
	return errors.Join(held...)
}

// turn takes up changed rows.
func (b *flowBook) turn(rows *live.Rows[live.Setting]) {
	last, next := b.page.Load(), &flowPage{flows: map[string]map[flow.Key]flow.Flow{}, sending: map[string]live.Sending{}, paused: map[string]live.Sending{}}
	for _, store := range b.stores {
		flows, err := EditorOf(store).InForce(rows)
		if err != nil {
			b.log.Error("active flows have faults and are not sent", zap.String("store", store.Name), zap.Error(err))
			next.faults = errors.Join(next.faults, err)
		}
		next.flows[store.Name] = flows
		if !maps.Equal(flows, last.flows[store.Name]) {
			b.log.Info("flows in force", zap.String("store", store.Name), zap.Strings("active_flows", activeFlows(flows)))
		}
		next.sending[store.Name], next.paused[store.Name] = live.SendingOf(rows, store.Name), live.PausedBy(rows, store.Name)
		b.logSending(last.sending[store.Name], next.sending[store.Name])
	}
	b.page.Store(next)
}

// logSending logs how a store sends, if that was changed.
func (b *flowBook) logSending(before, now live.Sending) {
	if before.Store != "" && before.Version == now.Version {
		return
	}
	b.log.Info("sending settings in force", zap.String("store", now.Store), zap.Int("version", now.Version), zap.String("by", now.By),
		zap.Stringer("quiet_hours", now.QuietHours), zap.Int("texts_per_day", now.TextsPerDay), zap.Bool("paused", now.Paused), zap.Any("paused_flows", now.PausedFlows))
}

func activeFlows(flows map[flow.Key]flow.Flow) []string {
	active := []string{}
	for _, key := range flow.Keys() {
		if flows[key].Active {
			active = append(active, string(key))
		}
	}
	return active
}
