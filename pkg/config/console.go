package config

import "time"

// Console configures the role that serves the console.
type Console struct {
	Listen         string        `mapstructure:"listen" role:"console" default:"127.0.0.1:8090" check:"listen" doc:"Address on which the console is served."`
	URL            string        `mapstructure:"url" role:"console" check:"url" example:"https://console.example.com" doc:"Address at which people reach the console, if it is another than console.listen: that of a proxy with TLS."`
	DataDir        string        `mapstructure:"data_dir" role:"console" default:"./rechargeflow-data/console" doc:"Directory of what the console has read from the topics, for one process at a time. It can be deleted while no process runs: it is read again."`
	Retention      time.Duration `mapstructure:"retention" role:"console" default:"2160h" min:"24h" max:"9600h" doc:"How long the console shows events, facts and dead letters, as long as the topics have them. Texts are shown for 400 days."`
	MaxConnections int           `mapstructure:"max_connections" role:"console" default:"1000" min:"10" max:"100000" doc:"Open connections to console.listen. A new one above the limit closes the one that has waited longest for its client."`

	PeopleFile     string        `mapstructure:"people_file" role:"console" example:"./people.yaml" doc:"File with names, roles and hashes of passwords, see docs/console-access.md. It is read again when it changes. Empty, and without console.oidc.issuer: nobody logs in, and console.listen must be a loopback address."`
	TrustedProxies []string      `mapstructure:"trusted_proxies" role:"console" check:"network" example:"10.0.0.0/8" doc:"Addresses of proxies, or networks, whose X-Forwarded-For and X-Forwarded-Proto are believed."`
	SessionIdle    time.Duration `mapstructure:"session_idle" role:"console" default:"2h" min:"1m" max:"720h" doc:"Time without a request after which a person has to log in again."`
	SessionMax     time.Duration `mapstructure:"session_max" role:"console" default:"12h" min:"1m" max:"720h" doc:"Time after which a person has to log in again in any case."`
	OIDC           ConsoleOIDC   `mapstructure:"oidc"`
}

// ConsoleOIDC configures the OpenID Connect provider that knows the people of the console.
type ConsoleOIDC struct {
	Issuer         string   `mapstructure:"issuer" role:"console" check:"url" doc:"Issuer of the OpenID Connect provider, such as https://accounts.google.com. Needs console.url, to which /login/oidc/callback is added: register that address at the provider. Empty: people have passwords."`
	ClientID       string   `mapstructure:"client_id" role:"console" doc:"ID that the provider has given to the console."`
	ClientSecret   Secret   `mapstructure:"client_secret" role:"console" doc:"Secret that the provider has given to the console; empty for a public client."`
	Scopes         []string `mapstructure:"scopes" role:"console" default:"email,profile" doc:"Scopes that are asked for, besides openid. Some providers have one for groups."`
	NameClaim      string   `mapstructure:"name_claim" role:"console" default:"email" doc:"Claim with the name that the history of settings shows. email must be verified by the provider."`
	RoleClaim      string   `mapstructure:"role_claim" role:"console" default:"groups" doc:"Claim whose values are mapped to roles, a text or a list. A dot leads into an object, such as realm_access.roles."`
	Viewers        []string `mapstructure:"viewers" role:"console" example:"marketing" doc:"Values of console.oidc.role_claim with the role viewer."`
	Editors        []string `mapstructure:"editors" role:"console" example:"marketing-leads" doc:"Values of console.oidc.role_claim with the role editor."`
	Operators      []string `mapstructure:"operators" role:"console" example:"platform" doc:"Values of console.oidc.role_claim with the role operator."`
	DefaultRole    string   `mapstructure:"default_role" role:"console" oneof:",viewer,editor,operator" doc:"Role of people without one of these values. Empty: they are refused. Needs console.oidc.allowed_domains."`
	AllowedDomains []string `mapstructure:"allowed_domains" role:"console" check:"domain" example:"example.com" doc:"Domains of e-mail addresses that are let in, which the provider must have verified. Empty: all."`
}
