package main

import (
	"context"
	"fmt"

	"github.com/rechargeflow/rechargeflow/pipeline"
	"github.com/rechargeflow/rechargeflow/pkg/bloomreach"
	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/ledger"
	"github.com/rechargeflow/rechargeflow/pkg/ledger/sqlite"
	"github.com/rechargeflow/rechargeflow/pkg/lookup"
	"github.com/rechargeflow/rechargeflow/pkg/recharge"
	"github.com/rechargeflow/rechargeflow/pkg/sms"
	"github.com/rechargeflow/rechargeflow/pkg/sms/logdriver"
	"github.com/rechargeflow/rechargeflow/pkg/sms/webhook"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
)

// options builds what the stages are made of.
func (p *process) options(ctx context.Context) (pipeline.Options, error) {
	var options pipeline.Options
	p.readers = map[string]lookup.Reader{}
	for _, store := range p.cfg.Stores {
		built, err := p.store(store)
		if err != nil {
			return options, fmt.Errorf("build store %s: %w", store.Name, err)
		}
		options.Stores = append(options.Stores, built)
	}
	if p.has(pipeline.RoleSMS) {
		texts, err := sqlite.Open(ctx, p.cfg.Ledger.Path, ledger.Options{Sole: true})
		if err != nil {
			return options, err
		}
		p.onClose("close ledger", texts.Close)
		options.Ledger = texts
	}
	return options, nil
}

func (p *process) store(store config.Store) (pipeline.Store, error) {
	built := pipeline.Store{Settings: subscriber.Settings{
		Store:          store.Name,
		CustomerID:     subscriber.IDChoice(store.CustomerID),
		CustomerIDName: store.Bloomreach.CustomerIDName,
		ActiveProperty: store.ActiveProperty,
		SMS:            store.SMS.Driver != config.SMSNone,
	}}
	if token := store.Recharge.Token.Reveal(); token != "" {
		client, err := recharge.NewClient(recharge.ClientConfig{BaseURL: store.Recharge.APIURL, Token: token})
		if err != nil {
			return built, err
		}
		p.readers[store.Name], built.Settings.API = client, true
	}
	if store.Bloomreach.Enabled {
		client, err := bloomreach.New(bloomreach.Config{
			BaseURL: store.Bloomreach.URL, ProjectToken: store.Bloomreach.Project.Reveal(),
			Auth: bloomreachAuth(store.Bloomreach), Timeout: store.Bloomreach.Timeout,
		})
		if err != nil {
			return built, err
		}
		built.Tracker = client
	}
	if built.Settings.SMS {
		texts, err := p.texts(store)
		if err != nil {
			return built, err
		}
		built.Texts = &texts
	}
	return built, nil
}

func bloomreachAuth(b config.Bloomreach) bloomreach.Auth {
	if token := b.Token.Reveal(); token != "" {
		return bloomreach.PublicToken(token)
	}
	return bloomreach.PrivateKey(b.KeyID, b.Secret.Reveal())
}

func (p *process) texts(store config.Store) (pipeline.Texts, error) {
	texts := pipeline.Texts{
		From: store.SMS.From, DefaultRegion: store.SMS.DefaultRegion,
		Shop: subscriber.Shop{
			Name: store.SMS.ShopName, URL: store.SMS.ShopURL,
			PortalURL: store.SMS.PortalURL, ActivationURL: store.SMS.ActivationURL, PaymentURL: store.SMS.PaymentURL,
		},
	}
	flows, err := storeFlows(store)
	if err != nil {
		return texts, err
	}
	texts.Flows = flows
	texts.Driver, err = p.driver(store)
	return texts, err
}

func (p *process) driver(store config.Store) (sms.Driver, error) {
	if store.SMS.Driver == config.SMSWebhook {
		return webhook.New(webhook.Options{URL: store.SMS.URL, Secret: store.SMS.Secret.Reveal(), Timeout: store.SMS.Timeout})
	}
	return logdriver.New(p.log), nil
}
