package outputs

import (
	"github.com/rechargeflow/rechargeflow/pkg/envelope"
	"github.com/rechargeflow/rechargeflow/pkg/subscriber"
	"github.com/rechargeflow/rechargeflow/pkg/topology"
	"github.com/rechargeflow/rechargeflow/schemas"
)

func ofOwner(topics topology.Topics, o subscriber.Owner) envelope.Output {
	return envelope.Output{
		Topic: topics.Webhooks(), Source: envelope.SourceOwner, Subject: schemas.SubscriptionOwner,
		Store: o.Store, CustomerID: o.CustomerID, Key: "subscription/" + o.SubscriptionID, At: o.At, Value: o,
	}
}

func ofChargeOwner(topics topology.Topics, o subscriber.ChargeOwner) envelope.Output {
	return envelope.Output{
		Topic: topics.Webhooks(), Source: envelope.SourceChargeOwner, Subject: schemas.ChargeOwner,
		Store: o.Store, CustomerID: o.CustomerID, Key: "charge/" + o.ChargeID, At: o.At, Value: o,
	}
}

// OfMove is a moved record, for the former owner of a subscription.
func OfMove(topics topology.Topics, m *subscriber.Move) envelope.Output {
	return envelope.Output{
		Topic: topics.Webhooks(), Source: envelope.SourceMoved, Subject: schemas.SubscriptionMoved,
		Store: m.Store, CustomerID: m.CustomerID, At: m.At, Value: m,
	}
}

// OfDeletion is a deletion record, for the customer of a charge.
func OfDeletion(topics topology.Topics, d *subscriber.ChargeDeletion) envelope.Output {
	return envelope.Output{
		Topic: topics.Webhooks(), Source: envelope.SourceDeleted, Subject: schemas.ChargeDeletion,
		Store: d.Store, CustomerID: d.CustomerID, At: d.ReceivedAt, Value: d,
	}
}
