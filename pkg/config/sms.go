package config

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The values of sms.driver; empty sends nothing. Each driver has a block of its own, and a row of driverRules.
const (
	SMSNone       = ""
	SMSLog        = "log"
	SMSWebhook    = "webhook"
	SMSTwilio     = "twilio"
	SMSTelnyx     = "telnyx"
	SMSKlaviyo    = "klaviyo"
	SMSPostscript = "postscript"
	SMSAttentive  = "attentive"
)

// The values of sms.mode: what is given to the provider.
const (
	SMSText    = "text"
	SMSTrigger = "trigger"
)

// What sms.quiet_hours and sms.consent are left to.
const (
	SMSOurs        = "ours"
	SMSDestination = "destination"
)

// SMS configures the driver and the sender of the store's texts.
type SMS struct {
	Driver        string        `mapstructure:"driver" role:"gateway,transformer,sms,links" ask:"optional" oneof:",log,webhook,twilio,telnyx,klaviyo,postscript,attentive" doc:"Empty: no texts. log: dry run, texts are logged and not sent. webhook: signed requests to sms.webhook.url. Others: the API of that provider, see docs/sms-providers.md."`
	Mode          string        `mapstructure:"mode" role:"gateway,sms,links" default:"text" oneof:"text,trigger" doc:"What is given to the provider. text: texts. trigger: flows and the values of their texts, for a platform that has the texts itself; then leave out consent and quiet_hours, or set them to destination. A driver that takes one of them only has it as its default."`
	CallbackURL   string        `mapstructure:"callback_url" role:"sms,gateway" check:"url" example:"https://hooks.example.com" doc:"URL at which the provider reaches the gateway, without /callbacks. It is part of what some providers sign. The driver webhook does without."`
	From          string        `mapstructure:"from" role:"gateway,sms" example:"+15005550006" doc:"Sender of texts, a number or a name."`
	DefaultRegion string        `mapstructure:"default_region" role:"sms" ask:"optional" askif:"sms.driver" default:"US" check:"region" doc:"Country of phone numbers without a country code, used if no address of the customer names a country. ISO 3166 alpha-2."`
	Timeout       time.Duration `mapstructure:"timeout" role:"sms" default:"10s" min:"1s" max:"5m" doc:"Timeout of a request to the provider."`
	AtOnce        int           `mapstructure:"at_once" role:"sms" default:"10" min:"1" max:"1000" doc:"Requests to the provider at the same time, of each process. After a kill, as many texts may be unknown."`
	TimeZone      string        `mapstructure:"time_zone" role:"sms" check:"zone" example:"America/New_York" doc:"Time zone for the quiet hours of customers whose address and number have none. Empty: all zones of default_region, of which the strictest counts."`
	Consent       string        `mapstructure:"consent" role:"gateway,sms" default:"opt_out" oneof:"opt_out,opt_in,destination" doc:"Whom the store texts. opt_out: numbers that have not opted out. opt_in: only numbers that have opted in. destination: numbers that the provider lets it text, except known opt-outs; the default with mode trigger."`
	QuietHours    string        `mapstructure:"quiet_hours" role:"sms" default:"ours" oneof:"ours,destination" doc:"Who holds back the texts of flows with quiet hours. destination: the provider; the default with mode trigger."`
	Window        time.Duration `mapstructure:"window" role:"sms" default:"0s" min:"0s" max:"10m" doc:"Shortens the time for which a text is held back for others of the same action, for trials. 0: the windows of the flows."`
	OptOutText    string        `mapstructure:"opt_out_text" role:"sms" default:"Reply STOP to opt out." doc:"Says how to opt out, at the end of the first text to a customer and of every fifth after it. Texts whose template names STOP itself, and stores with consent destination, do without. none: no text has it."`
	PauseByDate   bool          `mapstructure:"pause_by_date" role:"transformer" default:"false" doc:"subscription_paused also when the next charge moves by more than an interval and a week, which is how a pause looks in shops without subscription/paused."`
	ResumeByDate  bool          `mapstructure:"resume_by_date" role:"transformer" default:"false" doc:"subscription_resumed also when the next charge of a paused subscription moves to an earlier day. Recharge has no webhook for the end of a pause."`
	FirstOrders   bool          `mapstructure:"first_orders" role:"transformer" default:"false" doc:"order_processed also for the order of a first checkout. Needs a webhook for order/created."`
	NewAccounts   bool          `mapstructure:"new_accounts" role:"transformer" default:"false" doc:"customer_account_activation when a customer is created. Without it: with the first subscription."`
	HelpText      string        `mapstructure:"help_text" role:"gateway,sms" default:"{% if shop.url %}Help at {{ shop.url }}. {% endif %}Reply STOP to opt out." doc:"Answer to a reply such as HELP, a Liquid template with the values shop.name and shop.url. Stores with consent destination do without. none: such replies are not answered."`
	ShopName      string        `mapstructure:"shop_name" role:"gateway,sms" ask:"required" askif:"sms.driver" example:"Acme Coffee" doc:"Name of the shop, with which every text begins. A store with active flows needs it."`
	ShopURL       string        `mapstructure:"shop_url" role:"transformer,sms,links" check:"template" example:"https://acme.example" doc:"Link to the shop in texts. Its host replaces {shop} in the links below. A link whose {hash} is unknown is replaced by this one."`
	PortalURL     string        `mapstructure:"portal_url" role:"sms" check:"template" example:"https://{shop}/tools/recurring/portal/{hash}" doc:"Link to the customer portal in texts. {hash} is Recharge's secret part of a customer's portal links."`
	ActivationURL string        `mapstructure:"activation_url" role:"sms" check:"template" example:"https://{shop}/account/activate" doc:"Link to activate the customer's account."`
	PaymentURL    string        `mapstructure:"payment_url" role:"sms" check:"template" example:"https://{shop}/tools/recurring/portal/{hash}/payment_methods" doc:"Link to change the payment method."`

	Links      SMSLinks         `mapstructure:"links"`
	Webhook    WebhookDriver    `mapstructure:"webhook"`
	Twilio     TwilioDriver     `mapstructure:"twilio"`
	Telnyx     TelnyxDriver     `mapstructure:"telnyx"`
	Klaviyo    KlaviyoDriver    `mapstructure:"klaviyo"`
	Postscript PostscriptDriver `mapstructure:"postscript"`
	Attentive  AttentiveDriver  `mapstructure:"attentive"`
}

// SMSLinks configures the short links of the store's texts.
type SMSLinks struct {
	URL string        `mapstructure:"url" role:"sms,links" check:"url" example:"https://go.acme-coffee.com" doc:"Address of the store's own domain for short links, at which the role links is reached. The links of the shop in texts become {url}/r/ and 11 letters and digits, and clicks are counted. Empty: texts keep their links."`
	TTL time.Duration `mapstructure:"ttl" role:"sms" default:"720h" min:"1m" max:"840h" doc:"How long a short link leads where its text said. After that it leads to sms.shop_url."`
}

// adaptDefaults sets the mode of a driver that has one only, and leaves quiet hours and consent to a platform that has the texts itself.
// What is set stays.
func (s *scope) adaptDefaults() {
	defaults := map[string]string{}
	driver, _ := s.given("sms.driver")
	for _, rule := range driverRules() {
		if driver.value == rule.driver && rule.mode != "" {
			defaults["sms.mode"] = rule.mode
		}
	}
	mode, set := s.given("sms.mode")
	if mode.value == SMSTrigger || !set && defaults["sms.mode"] == SMSTrigger {
		defaults["sms.consent"], defaults["sms.quiet_hours"] = SMSDestination, SMSDestination
	}
	s.keys = slices.Clone(s.keys) // other stores have them, too
	for i := range s.keys {
		s.keys[i].Default = cmp.Or(defaults[s.keys[i].Path], s.keys[i].Default)
	}
}

// WebhookDriver configures the driver webhook.
type WebhookDriver struct {
	URL    string `mapstructure:"url" ask:"required" askif:"sms.driver=webhook" role:"sms" check:"hook" example:"https://sms.example.com/send" doc:"URL that the webhook driver posts to."`
	Secret Secret `mapstructure:"secret" role:"sms,gateway" doc:"Secret that signs the requests of the webhook driver, and the callbacks of the provider to the gateway."`
}

// TwilioDriver configures the driver twilio.
type TwilioDriver struct {
	AccountSID          string `mapstructure:"account_sid" ask:"required" askif:"sms.driver=twilio" role:"sms" check:"sid" example:"AC0123456789abcdef0123456789abcdef" doc:"SID of the Twilio account."`
	AuthToken           Secret `mapstructure:"auth_token" role:"sms,gateway" doc:"Auth token of the Twilio account. The gateway verifies callbacks with it. The role sms needs it if there is no API key."`
	APIKey              string `mapstructure:"api_key" role:"sms" check:"sid" example:"SK0123456789abcdef0123456789abcdef" doc:"SID of an API key that may send texts, instead of the auth token. Needs api_secret."`
	APISecret           Secret `mapstructure:"api_secret" role:"sms" doc:"Secret of the API key."`
	MessagingServiceSID string `mapstructure:"messaging_service_sid" role:"sms" check:"sid" example:"MG0123456789abcdef0123456789abcdef" doc:"SID of a Messaging Service that chooses the sender, unless sms.from is set."`
	APIURL              string `mapstructure:"api_url" role:"sms" default:"https://api.twilio.com" check:"url" doc:"Address of Twilio's API."`
}

// TelnyxDriver configures the driver telnyx.
type TelnyxDriver struct {
	APIKey             Secret `mapstructure:"api_key" role:"sms,gateway" doc:"API key of the Telnyx account. A gateway that has it answers HELP."`
	PublicKey          string `mapstructure:"public_key" role:"gateway" check:"key32" example:"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2A=" doc:"Public key of the Telnyx account, base64. The gateway verifies callbacks with it."`
	MessagingProfileID string `mapstructure:"messaging_profile_id" role:"sms,gateway" example:"40017ea1-a0c0-4563-9925-b25e842a7cb6" doc:"Messaging profile of the store. It chooses the sender, unless sms.from is set. Replies to other profiles and numbers are not the store's."`
	APIURL             string `mapstructure:"api_url" role:"sms" default:"https://api.telnyx.com" check:"url" doc:"Address of Telnyx's API."`
}

// KlaviyoDriver configures the driver klaviyo.
type KlaviyoDriver struct {
	APIKey   Secret `mapstructure:"api_key" role:"sms" doc:"Private API key of the Klaviyo account, with the scope events:write."`
	Revision string `mapstructure:"revision" role:"sms" default:"2026-07-15" doc:"Revision of Klaviyo's API. Klaviyo retires a revision two years after its date."`
	APIURL   string `mapstructure:"api_url" role:"sms" default:"https://a.klaviyo.com" check:"url" doc:"Address of Klaviyo's API."`
}

// PostscriptDriver configures the driver postscript.
type PostscriptDriver struct {
	APIKey     Secret `mapstructure:"api_key" role:"sms" doc:"Private API key of the shop at Postscript. It begins with sk_."`
	PartnerKey Secret `mapstructure:"partner_key" role:"sms" doc:"Private API key of an integration partner of Postscript, which acts for the shop. Empty: the shop calls for itself."`
	APIURL     string `mapstructure:"api_url" role:"sms" default:"https://api.postscript.io" check:"url" doc:"Address of Postscript's API."`
}

// AttentiveDriver configures the driver attentive.
type AttentiveDriver struct {
	APIKey Secret `mapstructure:"api_key" role:"sms" doc:"API key of a custom app at Attentive that may write custom events."`
	APIURL string `mapstructure:"api_url" role:"sms" default:"https://api.attentivemobile.com" check:"url" doc:"Address of Attentive's API."`
}

// driverRule is what the keys of a driver must have.
type driverRule struct {
	driver string
	// needs are what the role sms needs: each is a list of alternatives, of which one must be set. An alternative is a key, or several joined
	// by a plus.
	needs [][]string
	// verifies is the key that the gateway verifies callbacks with; "" for a driver without any.
	verifies string
	// mode is the only mode that the driver has; "" for both.
	mode string
	// byURL means that callbacks need sms.callback_url.
	byURL bool
}

// driverRules are those of the drivers that call a provider.
func driverRules() []driverRule {
	return []driverRule{
		{driver: SMSWebhook, needs: [][]string{{"sms.webhook.url"}, {"sms.webhook.secret"}}, verifies: "sms.webhook.secret"},
		{
			driver: SMSTwilio, mode: SMSText, verifies: "sms.twilio.auth_token", byURL: true,
			needs: [][]string{{"sms.twilio.account_sid"}, {"sms.twilio.auth_token", "sms.twilio.api_key+sms.twilio.api_secret"}, {"sms.from", "sms.twilio.messaging_service_sid"}},
		},
		{
			driver: SMSTelnyx, mode: SMSText, verifies: "sms.telnyx.public_key", byURL: true,
			needs: [][]string{{"sms.telnyx.api_key"}, {"sms.from", "sms.telnyx.messaging_profile_id"}},
		},
		{driver: SMSKlaviyo, mode: SMSTrigger, needs: [][]string{{"sms.klaviyo.api_key"}}},
		{driver: SMSPostscript, mode: SMSTrigger, needs: [][]string{{"sms.postscript.api_key"}}},
		{driver: SMSAttentive, mode: SMSTrigger, needs: [][]string{{"sms.attentive.api_key"}}},
	}
}

// SMSDrivers returns the drivers that call a provider.
func SMSDrivers() (names []string) {
	for _, rule := range driverRules() {
		names = append(names, rule.driver)
	}
	return names
}

// calls returns what the driver calls, and its key; "" for none.
func (s SMS) calls() (key, address string) {
	switch s.Driver {
	case SMSWebhook:
		return "sms.webhook.url", s.Webhook.URL
	case SMSTwilio:
		return "sms.twilio.api_url", s.Twilio.APIURL
	case SMSTelnyx:
		return "sms.telnyx.api_url", s.Telnyx.APIURL
	case SMSKlaviyo:
		return "sms.klaviyo.api_url", s.Klaviyo.APIURL
	case SMSPostscript:
		return "sms.postscript.api_url", s.Postscript.APIURL
	case SMSAttentive:
		return "sms.attentive.api_url", s.Attentive.APIURL
	}
	return "", ""
}

func (l *loader) checkSMS(s *scope, m SMS) {
	l.checkLinks(s, m)
	at := slices.IndexFunc(driverRules(), func(r driverRule) bool { return r.driver == m.Driver })
	if at < 0 {
		return
	}
	rule := driverRules()[at]
	if rule.mode != "" && m.Mode != rule.mode {
		l.fault(s, "sms.mode", "given %s, and the driver %s takes %s only; leave it out", quoted(m.Mode), m.Driver, rule.mode)
	}
	if l.runs("sms") {
		for _, alternatives := range rule.needs {
			l.checkNeeds(s, m.Driver, alternatives)
		}
	}
	l.warnOfCallbacks(s, rule)
}

// checkNeeds reports the first of the alternatives as missing if none is set.
func (l *loader) checkNeeds(s *scope, driver string, alternatives []string) {
	var others []string
	for i, alternative := range alternatives {
		keys := strings.Split(alternative, "+")
		if !slices.ContainsFunc(keys, s.isEmpty) {
			return
		}
		if i > 0 {
			others = append(others, strings.Join(keys, " and "))
		}
	}
	because := " (sms.driver is " + driver
	if len(others) > 0 {
		because += "; or set " + strings.Join(others, ", or ")
	}
	first, _, _ := strings.Cut(alternatives[0], "+")
	l.missing(s, first, because+")")
}

// warnOfCallbacks warns of a gateway that has to refuse the callbacks of the provider, such as a STOP, and of texts that no callback is
// asked for.
func (l *loader) warnOfCallbacks(s *scope, rule driverRule) {
	const url = "sms.callback_url"
	if rule.verifies == "" {
		return
	}
	if s.isEmpty(rule.verifies) && !s.distrusted[rule.verifies] && l.runs("gateway") {
		l.warnings.add(s.where(rule.verifies), s.label+rule.verifies,
			"missing: the gateway answers 503 to the callbacks of the SMS provider, such as opt-outs and delivery reports; it verifies them with it")
	}
	if rule.byURL && s.isEmpty(url) && l.runs("sms", "gateway") {
		l.warnings.add(s.where(url), s.label+url,
			"missing: the provider reports no delivery, and the gateway answers 503 to its callbacks, such as opt-outs; a text whose request was not answered stays unknown")
	}
}
