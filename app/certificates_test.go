package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
	"github.com/rechargeflow/rechargeflow/pkg/telemetry"
)

// pemFile writes a PEM file with a certificate for each expiry.
func pemFile(t *testing.T, path string, expiries ...time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	var content []byte
	for _, expires := range expiries {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: expires}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		require.NoError(t, err)
		content = append(content, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

// The expiry of the client certificate is that of the first in its file, of authorities the last one counts, and files are read
// again.
func TestCertificates(t *testing.T) {
	dir := t.TempDir()
	client, authorities := filepath.Join(dir, "client.pem"), filepath.Join(dir, "ca.pem")
	soon, late := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	pemFile(t, client, soon, late)
	pemFile(t, authorities, soon, late, soon)
	settings := config.KafkaTLS{Enabled: true, CertFile: client, CAFile: authorities}
	assert.Equal(t, []telemetry.Certificate{{Use: "kafka_client", Expires: soon}, {Use: "kafka_ca", Expires: late}}, certificates(settings))
	pemFile(t, client, late)
	assert.Equal(t, late, certificates(settings)[0].Expires, "replaced")
	assert.Empty(t, certificates(config.KafkaTLS{Enabled: true, CertFile: filepath.Join(dir, "absent.pem")}))
	settings.Enabled = false
	assert.Empty(t, certificates(settings))
}

// A call to a destination shows when its certificate expires, also one that fails because of it.
func TestCertificateOfADestination(t *testing.T) {
	site := httptest.NewUnstartedServer(http.NotFoundHandler())
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.StartTLS()
	t.Cleanup(site.Close)
	p := start(t, trial(t, site.URL))
	p.awaitReady()
	require.Equal(t, http.StatusOK, p.postSigned("subscription/created", created, secret))
	want := fmt.Sprintf(`rechargeflow_certificate_expiry_timestamp_seconds{name="127.0.0.1",use="bloomreach"} %g`, float64(site.Certificate().NotAfter.Unix()))
	require.Eventually(t, func() bool { return strings.Contains(p.get("/metrics"), want) }, patience, 10*time.Millisecond, want)
}
