package config

import (
	"strings"
	"time"
)

// The values of customer_id: which id identifies a customer in Bloomreach.
const (
	CustomerEmail      = "email"
	CustomerRechargeID = "recharge_id"
)

// The values of recharge.signature: which signatures of a webhook are accepted.
const (
	SignatureAny         = "any"
	SignatureTimestamped = "timestamped"
)

// Store configures one shop: its Recharge account, its Bloomreach project, its texts.
type Store struct {
	Name           string     `mapstructure:"name" ask:"required" required:"true" check:"name" example:"acme" doc:"Name of the store in URLs, keys, headers, metrics and logs. Never change it: the keys of existing records contain it."`
	CustomerID     string     `mapstructure:"customer_id" ask:"optional" default:"email" oneof:"email,recharge_id" doc:"Identifies customers in Bloomreach by e-mail or by Recharge customer id."`
	ActiveProperty bool       `mapstructure:"active_property" default:"true" doc:"Write the customer property recharge_subscription_active."`
	Currency       string     `mapstructure:"currency" check:"currency" example:"USD" doc:"Currency of a subscription, charge or order whose webhook names none, ISO 4217. Empty: its amounts have no currency."`
	Recharge       Recharge   `mapstructure:"recharge"`
	Bloomreach     Bloomreach `mapstructure:"bloomreach"`
	SMS            SMS        `mapstructure:"sms"`
}

// Recharge configures the store's Recharge account.
type Recharge struct {
	Secrets             []Secret `mapstructure:"secrets" role:"gateway,transformer" required:"true" doc:"API client secrets that sign the webhooks. Two during a rotation, the new one first. The gateway needs them, the transformer if webhook_url is set."`
	Token               Secret   `mapstructure:"token" role:"transformer" doc:"API token for lookups of customers and subscriptions. Optional with customer_id recharge_id and no texts. Without it the active property depends on webhooks alone, and cancellations after failed charges are not detected."`
	Signature           string   `mapstructure:"signature" role:"gateway" default:"any" oneof:"any,timestamped" doc:"Signatures that are accepted. any: the timestamped one, or the legacy one where no timestamped one has been seen yet. timestamped: only the timestamped one, which expires after 48 h."`
	RequireAddressToken bool     `mapstructure:"require_address_token" role:"gateway" default:"false" doc:"Refuse webhooks whose address has no token. Run rechargeflow setup first. A wrong token is always refused."`
	WebhookURL          string   `mapstructure:"webhook_url" role:"gateway,transformer" ask:"optional" check:"url" example:"https://hooks.example.com" doc:"URL at which Recharge reaches the gateway, without /webhooks. rechargeflow setup registers the webhooks there, and the transformer registers again what is deleted or altered at Recharge. Empty: the transformer does not check."`
	APIURL              string   `mapstructure:"api_url" role:"transformer" default:"https://api.rechargeapps.com" check:"url" doc:"Address of the Recharge API."`
}

// Bloomreach configures the store's Engagement project.
type Bloomreach struct {
	Enabled        bool          `mapstructure:"enabled" default:"true" doc:"Send events to Bloomreach."`
	URL            string        `mapstructure:"url" ask:"required" role:"tracking" check:"url" example:"https://api.exponea.com" doc:"Base URL of the tracking API. It differs per instance, see Project settings, Access management, API."`
	Project        Secret        `mapstructure:"project" role:"tracking" doc:"Project token."`
	KeyID          string        `mapstructure:"key_id" role:"tracking" doc:"Id of a private API key that may track events. Needs secret."`
	Secret         Secret        `mapstructure:"secret" role:"tracking" doc:"Secret of the private API key."`
	Token          Secret        `mapstructure:"token" role:"tracking" doc:"Public access token, instead of key_id and secret."`
	CustomerIDName string        `mapstructure:"customer_id_name" default:"registered" doc:"Name of the hard id in the Bloomreach project that holds the e-mail or Recharge customer id."`
	Timeout        time.Duration `mapstructure:"timeout" role:"tracking" default:"20s" min:"1s" max:"5m" doc:"Timeout of a request."`
	PerMinute      int           `mapstructure:"requests_per_minute" role:"tracking" default:"6000" min:"1" max:"1000000" doc:"Requests to this address, of all processes that share an IP address together. Bloomreach allows 6000 per IP address by default, and more by contract. Each request has up to 50 events. Stores with the same url share the smallest number."`
	Replicas       int           `mapstructure:"replicas" role:"tracking" default:"1" min:"1" max:"1000" doc:"Number of processes with the role tracking that share an IP address. Each takes its part of requests_per_minute."`
	SecondIDName   string        `mapstructure:"second_id_name" role:"tracking" doc:"Name of another id in the Bloomreach project, for the one that customer_id does not select: with customer_id email it holds the Recharge customer id, otherwise the e-mail. Both are sent. Bloomreach does not document what it does with two hard ids of different profiles. Empty: one id."`
	PortalURL      string        `mapstructure:"portal_url" role:"transformer" check:"template" example:"https://{shop}/tools/recurring/portal/{hash}" doc:"Link to the customer portal, sent with events as portal_url. {hash} is Recharge's secret part of a customer's portal links: who has the link needs no password. The host of sms.shop_url replaces {shop}. Needs portal_key. Empty: none."`
	PortalKey      Secret        `mapstructure:"portal_key" role:"transformer,tracking" doc:"Secret that encrypts the links of portal_url in topics: any long random text."`
	Profile        []string      `mapstructure:"profile" role:"transformer" oneof:"email,first_name,last_name,phone,recharge_id,recharge_next_charge_at,recharge_subscriptions_active" doc:"Customer properties to send when they change, besides recharge_subscription_active. Empty: none."`
	Extras         []string      `mapstructure:"extras" role:"transformer,tracking" oneof:"upcoming,failed,gave_up,refunded,order_processed,paused,resumed,skipped,unskipped,swapped,changed,expired" doc:"Statuses of further facts to track, as subscription or subscription_charge events: see docs/tracking.md. Empty: only the statuses that are always tracked."`
}

// profiles identifies the profiles that the store writes to; the zero value if it writes to none.
func (s Store) profiles() [4]string {
	b := s.Bloomreach
	if !b.Enabled || b.Project.Reveal() == "" {
		return [4]string{}
	}
	return [4]string{strings.TrimRight(b.URL, "/"), b.Project.Reveal(), b.CustomerIDName, s.CustomerID}
}

// limitedAddress returns the address whose limit the store shares, "" for none, and the number of processes that divide it.
func (s Store) limitedAddress() (address string, replicas int) {
	if !s.Bloomreach.Enabled {
		return "", 0
	}
	return s.Bloomreach.URL, s.Bloomreach.Replicas
}

// properties are the customer properties that the store sends to Bloomreach.
func (s Store) properties() []string {
	if s.ActiveProperty {
		return append([]string{"recharge_subscription_active"}, s.Bloomreach.Profile...)
	}
	return s.Bloomreach.Profile
}

// checkStore reports broken rules across the keys of a store.
func (l *loader) checkStore(s *scope, store Store) {
	l.checkRecharge(s, store)
	l.checkBloomreach(s, store.Bloomreach)
	l.checkSMS(s, store.SMS)
}

// checkRecharge requires the API token if the transformer may look up customers.
func (l *loader) checkRecharge(s *scope, store Store) {
	if store.Recharge.Token != "" || !l.runs("transformer") {
		return
	}
	if store.CustomerID == CustomerEmail && !s.distrusted["customer_id"] {
		l.missing(s, "recharge.token", " (customer_id is email, and where a webhook lacks the e-mail the customer is looked up)")
	} else if store.SMS.Driver != SMSNone {
		l.missing(s, "recharge.token", " (sms.driver is set, and where a webhook lacks the phone number the customer is looked up)")
	}
}

func (l *loader) checkBloomreach(s *scope, b Bloomreach) {
	l.checkPortal(s, b)
	if !b.Enabled || !l.runs("tracking") {
		return
	}
	if b.URL == "" {
		l.missing(s, "bloomreach.url", " (or set bloomreach.enabled to false)")
	}
	l.checkAPIPath(s, b.URL)
	if b.Project == "" {
		l.missing(s, "bloomreach.project", " (or set bloomreach.enabled to false)")
	}
	if b.SecondIDName == b.CustomerIDName {
		l.fault(s, "bloomreach.second_id_name", "is the same as bloomreach.customer_id_name; expected the name of another id, or none")
	}
	l.checkCredentials(s, b)
}

// checkPortal checks the key for links to the portal.
func (l *loader) checkPortal(s *scope, b Bloomreach) {
	const path, least = "bloomreach.portal_key", 16
	switch key := b.PortalKey.Reveal(); {
	case s.distrusted[path]:
	case b.Enabled && b.PortalURL != "" && key == "":
		l.warnings.add(s.where("bloomreach.portal_url"), s.label+"bloomreach.portal_url", "needs bloomreach.portal_key, so that the link is in no topic unencrypted; without it no event has a link")
	case key != "" && len(key) < least:
		l.fault(s, path, "has %d characters; expected a random text of %d or more", len(key), least)
	}
}

func (l *loader) checkCredentials(s *scope, b Bloomreach) {
	for _, path := range []string{"bloomreach.token", "bloomreach.key_id", "bloomreach.secret"} {
		if s.distrusted[path] {
			return
		}
	}
	switch isPrivate := b.KeyID != "" || b.Secret != ""; {
	case b.Token != "" && isPrivate:
		l.fault(s, "bloomreach.token", "given together with key_id or secret; expected key_id and secret, or token alone")
	case b.Token != "":
	case !isPrivate:
		l.missing(s, "bloomreach.key_id", " (with bloomreach.secret; or bloomreach.token alone)")
	case b.KeyID == "":
		l.missing(s, "bloomreach.key_id", " (it goes with bloomreach.secret)")
	case b.Secret == "":
		l.missing(s, "bloomreach.secret", " (it goes with bloomreach.key_id)")
	}
}
