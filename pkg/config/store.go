package config

import "time"

// What a customer is called in Bloomreach, the values of customer_id.
const (
	CustomerEmail      = "email"
	CustomerRechargeID = "recharge_id"
)

// The drivers of sms.driver; empty sends nothing.
const (
	SMSNone    = ""
	SMSLog     = "log"
	SMSWebhook = "webhook"
)

// Store is one shop: its account at Recharge, its project in Bloomreach, its texts.
type Store struct {
	Name           string     `mapstructure:"name" required:"true" check:"name" example:"acme" doc:"Name in paths, keys, headers, metrics and logs. Never change it: the store's history hangs on it."`
	CustomerID     string     `mapstructure:"customer_id" default:"email" oneof:"email,recharge_id" doc:"What identifies a customer in Bloomreach."`
	ActiveProperty bool       `mapstructure:"active_property" default:"true" doc:"Whether the customer property recharge_subscription_active is imported."`
	Recharge       Recharge   `mapstructure:"recharge"`
	Bloomreach     Bloomreach `mapstructure:"bloomreach"`
	SMS            SMS        `mapstructure:"sms"`
}

// Recharge is the store's account at Recharge.
type Recharge struct {
	Secrets []Secret `mapstructure:"secrets" required:"true" doc:"API client secrets that sign the webhooks: one, or the old and the new during a rotation."`
	Token   Secret   `mapstructure:"token" doc:"API token, with which customers and their subscriptions are looked up. Not needed with customer_id recharge_id and no texts; the property is then not known where no webhook tells it, nor a cancellation after failed charges."`
	APIURL  string   `mapstructure:"api_url" default:"https://api.rechargeapps.com" check:"url" doc:"Address of the Recharge API."`
}

// Bloomreach is the store's Engagement project.
type Bloomreach struct {
	Enabled        bool          `mapstructure:"enabled" default:"true" doc:"Whether events go to Bloomreach."`
	URL            string        `mapstructure:"url" check:"url" example:"https://api.exponea.com" doc:"Base address of the tracking API. It differs per instance: Project settings, Access management, API."`
	Project        Secret        `mapstructure:"project" doc:"Project token."`
	KeyID          string        `mapstructure:"key_id" doc:"Id of a private API key that may track events. Goes with secret."`
	Secret         Secret        `mapstructure:"secret" doc:"Secret of that private API key."`
	Token          Secret        `mapstructure:"token" doc:"Public access token, in place of key_id and secret."`
	CustomerIDName string        `mapstructure:"customer_id_name" default:"registered" doc:"Name of the hard id that customer_id fills."`
	Timeout        time.Duration `mapstructure:"timeout" default:"20s" min:"1s" max:"5m" doc:"Time for one request."`
}

// SMS is how, and as whom, the store sends texts.
type SMS struct {
	Driver        string        `mapstructure:"driver" oneof:",log,webhook" doc:"Empty: no texts. log: written to the log, none sent. webhook: signed requests to url."`
	URL           string        `mapstructure:"url" check:"hook" example:"https://sms.example.com/send" doc:"Address that the webhook driver posts to."`
	Secret        Secret        `mapstructure:"secret" doc:"Key with which the webhook driver signs its requests."`
	From          string        `mapstructure:"from" example:"+15005550006" doc:"Number or name that texts come from."`
	DefaultRegion string        `mapstructure:"default_region" default:"US" check:"region" doc:"Country of phone numbers that lack a country code, ISO 3166 alpha-2."`
	FlowsFile     string        `mapstructure:"flows_file" example:"flows.yaml" doc:"Flow definitions, relative to this file's folder. Empty: the built-in flows."`
	Timeout       time.Duration `mapstructure:"timeout" default:"10s" min:"1s" max:"5m" doc:"Time for one request to the provider."`
	ShopName      string        `mapstructure:"shop_name" example:"Acme Coffee" doc:"Name of the shop in texts."`
	ShopURL       string        `mapstructure:"shop_url" check:"template" example:"https://acme.example" doc:"Link to the shop in texts; its host is what {shop} in the links below stands for, and it stands in for a link whose {hash} is unknown."`
	PortalURL     string        `mapstructure:"portal_url" check:"template" example:"https://{shop}/tools/recurring/portal/{hash}" doc:"Link to the customer portal in texts. {hash} is the secret part of a customer's portal links, as Recharge gives it."`
	ActivationURL string        `mapstructure:"activation_url" check:"template" example:"https://{shop}/account/activate" doc:"Link with which a customer activates the account."`
	PaymentURL    string        `mapstructure:"payment_url" check:"template" example:"https://{shop}/tools/recurring/portal/{hash}/payment_methods" doc:"Link with which a customer mends the payment method."`
}
