package app

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/flow"
)

// storeFlows returns the twelve flows of a store, from its flows file or built in. The error has one line
// for each fault, each beginning with the file or, for built-in flows, the store.
func storeFlows(store config.Store) ([]flow.Flow, error) {
	flows, source, err := readFlows(store)
	if err != nil {
		return nil, prefixed(source, err)
	}
	if err := flow.Check(flows, store.Name, shopOf(store)); err != nil {
		return nil, prefixed(source, err)
	}
	return flows, nil
}

// shopOf returns the shop's data for the texts.
func shopOf(store config.Store) flow.Shop {
	return flow.Shop{
		Name: store.SMS.ShopName, URL: store.SMS.ShopURL,
		PortalURL: store.SMS.PortalURL, ActivationURL: store.SMS.ActivationURL, PaymentURL: store.SMS.PaymentURL,
	}
}

// CheckFlows reports every fault in the flows of all stores.
func CheckFlows(stores []config.Store) error {
	var faults []error
	for _, store := range stores {
		if _, err := storeFlows(store); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// FlowWarnings returns what is probably not intended in the flows of all stores, each beginning with its source like an error.
func FlowWarnings(stores []config.Store) (warnings []string) {
	for _, store := range stores {
		flows, source, err := readFlows(store)
		if err != nil {
			continue // CheckFlows reports it
		}
		for _, fault := range flow.Warnings(flows) {
			warnings = append(warnings, source+": "+fault.Error())
		}
	}
	return warnings
}

func readFlows(store config.Store) (flows []flow.Flow, source string, err error) {
	if store.SMS.FlowsFile == "" {
		flows, err = flow.Defaults()
		return flows, "stores[" + store.Name + "]", err
	}
	content, err := os.ReadFile(store.SMS.FlowsFile)
	if err != nil {
		return nil, "stores[" + store.Name + "].sms.flows_file", fmt.Errorf("read flows: %w", err)
	}
	flows, err = flow.Parse(content)
	return flows, store.SMS.FlowsFile, err
}

// prefixed puts source before each line of err, which may join many errors.
func prefixed(source string, err error) error {
	var lines []error
	for line := range strings.Lines(err.Error()) {
		lines = append(lines, fmt.Errorf("%s: %s", source, strings.TrimSuffix(line, "\n")))
	}
	return errors.Join(lines...)
}
