package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/config"
)

func TestTracing(t *testing.T) {
	loaded, err := load(t, minimal+"tracing: {endpoint: 'https://otlp.example.net/otlp', sample_ratio: 0.05, headers: ['authorization=Basic a=b']}",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318", "OTEL_TRACES_SAMPLER_ARG=1")
	require.NoError(t, err)
	assert.Equal(t, config.Tracing{Endpoint: "https://otlp.example.net/otlp", Headers: []config.Secret{"authorization=Basic a=b"}, SampleRatio: 0.05}, loaded.Config.Tracing)

	loaded, err = load(t, minimal, "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318")
	require.NoError(t, err)
	assert.Empty(t, loaded.Config.Tracing.Endpoint, "off unless it is configured")

	file := write(t, "headers", "authorization=Bearer hidden\n")
	loaded, err = load(t, minimal, "RECHARGEFLOW_TRACING_HEADERS_FILE="+file, "RECHARGEFLOW_TRACING_SAMPLE_RATIO=0")
	require.NoError(t, err)
	assert.Equal(t, "authorization=Bearer hidden", loaded.Config.Tracing.Headers[0].Reveal())
	assert.Zero(t, loaded.Config.Tracing.SampleRatio)
}

func TestTracingFaults(t *testing.T) {
	for given, want := range map[string]string{
		"SAMPLE_RATIO=1.1":                          `given "1.1", expected a number from 0 to 1`,
		"SAMPLE_RATIO=NaN":                          `given "NaN", expected a number from 0 to 1`,
		"SAMPLE_RATIO=-0.1":                         `expected a number from 0 to 1`,
		"SAMPLE_RATIO=half":                         `expected a number from 0 to 1`,
		"HEADERS=hidden":                            "given a value that is not shown, expected values separated by commas, each name=value, as in an HTTP header",
		"HEADERS=x: y=hidden":                       "given a value that is not shown",
		"HEADERS=name= hidden":                      "given a value that is not shown",
		"HEADERS=name=hid\u00e4en":                  "given a value that is not shown",
		"ENDPOINT=localhost:4318":                   "expected an http or https URL",
		"ENDPOINT=http://localhost:4318/v1/traces/": `tracing.endpoint: ends in /v1/traces, which is appended; expected "http://localhost:4318"`,
	} {
		_, err := load(t, minimal, "RECHARGEFLOW_TRACING_"+given)
		require.ErrorContains(t, err, want, given)
		assert.NotContains(t, err.Error(), "hid")
	}
}

// A token in clear text over a public network is a warning.
func TestTracingWarnings(t *testing.T) {
	for endpoint, want := range map[string]int{
		"http://otel.acme.net:4318": 1, "https://otel.acme.net": 0, "http://collector:4318": 0, "http://127.0.0.1:4318": 0,
	} {
		loaded, err := load(t, minimal, "RECHARGEFLOW_TRACING_ENDPOINT="+endpoint, "RECHARGEFLOW_TRACING_HEADERS=authorization=Bearer hidden")
		require.NoError(t, err)
		assert.Len(t, loaded.Warnings, want, endpoint)
		loaded, err = load(t, minimal, "RECHARGEFLOW_TRACING_ENDPOINT="+endpoint)
		require.NoError(t, err)
		assert.Empty(t, loaded.Warnings, endpoint)
	}
}
