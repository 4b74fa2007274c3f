package conn_test

import (
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/kafka/internal/conn"
)

func TestPlainErrorsNameNoGoMethod(t *testing.T) {
	pool := conn.Open(conn.Cluster{Brokers: []string{"127.0.0.1:1"}})
	defer pool.Close()
	_, err := conn.Plain(pool.Client().Metadata(t.Context(), &kafka.MetadataRequest{}))
	require.ErrorContains(t, err, "dial tcp 127.0.0.1:1")
	require.NotContains(t, err.Error(), "kafka.(")
}
