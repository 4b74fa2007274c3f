package app

import (
	"strings"

	"go.uber.org/zap"

	"github.com/rechargeflow/rechargeflow/app/doctor"
	"github.com/rechargeflow/rechargeflow/pkg/callback"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/consent"
	"github.com/rechargeflow/rechargeflow/pkg/httpclient"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/attentive"
	"github.com/rechargeflow/rechargeflow/pkg/sms/klaviyo"
	"github.com/rechargeflow/rechargeflow/pkg/sms/logdriver"
	"github.com/rechargeflow/rechargeflow/pkg/sms/postscript"
	"github.com/rechargeflow/rechargeflow/pkg/sms/telnyx"
	"github.com/rechargeflow/rechargeflow/pkg/sms/twilio"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
)

// smsProvider is the SMS driver of a store: what it can do, and how its parts are built. The zero value is that of a store without one.
type smsProvider struct {
	abilities sms.Abilities
	// url is what the driver calls, "" for nothing. dryRun means that texts are not sent.
	url    string
	dryRun bool
	driver func(log *zap.Logger, observe httpclient.Observer) (sms.Driver, error)

	// receiver builds what verifies callbacks, nil for a driver without them. It is nil, too, if the store lacks one of the settings verifies.
	receiver func() (sms.Receiver, error)
	verifies string
	// helpKey makes the ids that stand for the numbers of those who ask for help; "" if nobody is answered.
	helpKey string
}

// providerOf returns that of a store. No other function knows all drivers.
func providerOf(store config.Store) smsProvider {
	switch store.SMS.Driver {
	case config.SMSLog:
		return smsProvider{abilities: logdriver.Abilities(), dryRun: true, driver: func(log *zap.Logger, _ httpclient.Observer) (sms.Driver, error) {
			return logdriver.New(log), nil
		}}
	case config.SMSWebhook:
		return webhookProvider(store.Name, store.SMS)
	case config.SMSTwilio:
		return twilioProvider(store.Name, store.SMS)
	case config.SMSTelnyx:
		return telnyxProvider(store.Name, store.SMS)
	case config.SMSKlaviyo:
		return klaviyoProvider(store.SMS)
	case config.SMSPostscript:
		return postscriptProvider(store.SMS)
	case config.SMSAttentive:
		return attentiveProvider(store.SMS)
	}
	return smsProvider{}
}

func webhookProvider(store string, s config.SMS) smsProvider {
	secret := s.Webhook.Secret.Reveal()
	p := smsProvider{abilities: webhook.Abilities(), url: s.Webhook.URL, verifies: "sms.webhook.secret", helpKey: secret}
	p.driver = func(_ *zap.Logger, observe httpclient.Observer) (sms.Driver, error) {
		return webhook.New(webhook.Options{URL: s.Webhook.URL, Secret: secret, Timeout: s.Timeout, Observe: observe})
	}
	if secret != "" {
		p.receiver = func() (sms.Receiver, error) { return webhook.NewReceiver(store, secret), nil }
	}
	return p
}

func twilioProvider(store string, s config.SMS) smsProvider {
	token, callbacks := s.Twilio.AuthToken.Reveal(), callbackURL(store, s)
	p := smsProvider{abilities: twilio.Abilities(), url: s.Twilio.APIURL, verifies: "sms.callback_url and sms.twilio.auth_token", helpKey: token}
	p.driver = func(_ *zap.Logger, observe httpclient.Observer) (sms.Driver, error) {
		return twilio.New(twilio.Options{
			URL: s.Twilio.APIURL, AccountSID: s.Twilio.AccountSID, AuthToken: token, APIKey: s.Twilio.APIKey, APISecret: s.Twilio.APISecret.Reveal(),
			MessagingServiceSID: s.Twilio.MessagingServiceSID, CallbackURL: callbacks, Timeout: s.Timeout, Observe: observe,
		})
	}
	if token != "" && callbacks != "" {
		p.receiver = func() (sms.Receiver, error) { return twilio.NewReceiver(callbacks, token) }
	}
	return p
}

func telnyxProvider(store string, s config.SMS) smsProvider {
	key, callbacks := s.Telnyx.APIKey.Reveal(), callbackURL(store, s)
	p := smsProvider{abilities: telnyx.Abilities(), url: s.Telnyx.APIURL, verifies: "sms.callback_url and sms.telnyx.public_key", helpKey: key}
	p.driver = func(_ *zap.Logger, observe httpclient.Observer) (sms.Driver, error) {
		return telnyx.New(telnyx.Options{
			URL: s.Telnyx.APIURL, APIKey: key, ProfileID: s.Telnyx.MessagingProfileID, CallbackURL: callbacks, Timeout: s.Timeout, Observe: observe,
		})
	}
	if s.Telnyx.PublicKey != "" && callbacks != "" {
		p.receiver = func() (sms.Receiver, error) {
			return telnyx.NewReceiver(telnyx.Sender{CallbackURL: callbacks, From: s.From, ProfileID: s.Telnyx.MessagingProfileID}, s.Telnyx.PublicKey)
		}
	}
	return p
}

func klaviyoProvider(s config.SMS) smsProvider {
	return smsProvider{abilities: klaviyo.Abilities(), url: s.Klaviyo.APIURL, driver: func(_ *zap.Logger, observe httpclient.Observer) (sms.Driver, error) {
		return klaviyo.New(klaviyo.Options{
			URL: s.Klaviyo.APIURL, APIKey: s.Klaviyo.APIKey.Reveal(), Revision: s.Klaviyo.Revision, Timeout: s.Timeout, Observe: observe,
		})
	}}
}

func postscriptProvider(s config.SMS) smsProvider {
	return smsProvider{abilities: postscript.Abilities(), url: s.Postscript.APIURL, driver: func(_ *zap.Logger, observe httpclient.Observer) (sms.Driver, error) {
		return postscript.New(postscript.Options{
			URL: s.Postscript.APIURL, APIKey: s.Postscript.APIKey.Reveal(), PartnerKey: s.Postscript.PartnerKey.Reveal(), Timeout: s.Timeout, Observe: observe,
		})
	}}
}

func attentiveProvider(s config.SMS) smsProvider {
	return smsProvider{abilities: attentive.Abilities(), url: s.Attentive.APIURL, driver: func(_ *zap.Logger, observe httpclient.Observer) (sms.Driver, error) {
		return attentive.New(attentive.Options{URL: s.Attentive.APIURL, APIKey: s.Attentive.APIKey.Reveal(), Timeout: s.Timeout, Observe: observe})
	}}
}

// callbackURL returns the public address of a store's callbacks, "" if it is not known.
func callbackURL(store string, s config.SMS) string {
	if s.CallbackURL == "" {
		return ""
	}
	return strings.TrimRight(s.CallbackURL, "/") + "/callbacks/" + store + "/" + s.Driver
}

// hasCallbacks reports whether the provider calls the gateway.
func (p smsProvider) hasCallbacks() bool {
	return p.abilities.ReportsDelivery || p.abilities.PassesReplies
}

// callbackStores returns the stores that get callbacks.
func callbackStores(all []config.Store) (map[string]callback.Store, error) {
	stores := map[string]callback.Store{}
	for _, store := range all {
		built, err := callbackStoreOf(store)
		if err != nil {
			return nil, buildError(store, err)
		}
		if built.Provider != "" || len(built.Others) > 0 {
			stores[store.Name] = built
		}
	}
	return stores, nil
}

// callbackStoreOf returns what receives the callbacks of a store's provider, and of others whose settings the store still has: a customer may
// answer STOP to a text that was sent before sms.driver was changed.
func callbackStoreOf(store config.Store) (callback.Store, error) {
	built, err := receiving(store)
	if err != nil {
		return built, err
	}
	for _, driver := range config.SMSDrivers() {
		other := store
		other.SMS.Driver = driver
		if driver == store.SMS.Driver || providerOf(other).receiver == nil {
			continue
		}
		received, err := receiving(other)
		if err != nil {
			return built, err
		}
		if built.Others == nil {
			built.Others = map[string]callback.Store{}
		}
		built.Others[driver] = received
	}
	return built, nil
}

// receiving returns what receives the callbacks of a store's provider, the zero value for a provider without callbacks.
func receiving(store config.Store) (built callback.Store, err error) {
	p := providerOf(store)
	if !p.hasCallbacks() {
		return built, nil
	}
	built = callback.Store{Provider: store.SMS.Driver, Secret: p.verifies, Help: helpText(store.SMS) != "" && p.helpKey != "", HelpKey: []byte(p.helpKey)}
	if p.receiver != nil {
		built.Receiver, err = p.receiver()
	}
	return built, err
}

// textsOf returns what is checked of how a store sends texts.
func textsOf(store config.Store) doctor.Texts {
	p := providerOf(store)
	return doctor.Texts{
		Driver: store.SMS.Driver, Host: hostOf(p.url), DryRun: p.dryRun, Abilities: p.abilities,
		Deaf: p.hasCallbacks() && p.receiver == nil, Verifies: p.verifies,
		Consent: consent.Mode(store.SMS.Consent).Explain(), OwnQuietHours: store.SMS.QuietHours == config.SMSDestination, Shop: ShopOf(store),
		Links: linksOf(store),
	}
}
