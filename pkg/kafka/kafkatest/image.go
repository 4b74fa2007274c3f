package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

const (
	imageVariable = "RECHARGEFLOW_TEST_CONTAINERS"
	noContainers  = "none"

	ownImage      = "rechargeflow-kafka:4.3.0" // make kafka-image
	officialImage = "apache/kafka:4.3.0"
)

// Timeouts for responses of the engine and the registry, and for pulling the image (400 MB).
const (
	engineTimeout   = 10 * time.Second
	registryTimeout = 5 * time.Second
	pullTimeout     = 5 * time.Minute
)

// Image returns the image of Apache Kafka for containers and the reason for the choice. Without an image the reason says why
// there is none. It is the first of:
//
//   - the one that RECHARGEFLOW_TEST_CONTAINERS names, pulled on use; "none" disables containers
//   - rechargeflow-kafka:4.3.0 (make kafka-image), else apache/kafka:4.3.0, if the engine has it
//   - apache/kafka:4.3.0, pulled now, if the registry answers within 5 s
func Image(t testing.TB) (name, reason string) {
	t.Helper()
	switch configured := os.Getenv(imageVariable); configured {
	case "":
	case noContainers:
		return "", imageVariable + " disables containers"
	default:
		return configured, fmt.Sprintf("%s, from %s", configured, imageVariable)
	}
	withoutRyuk(t)
	engine, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", fmt.Sprintf("no Docker engine available (%v)", err)
	}
	defer engine.Close() //nolint:errcheck // no request is in flight
	available, err := imagesOf(t.Context(), engine)
	if err != nil {
		return "", fmt.Sprintf("no Docker engine available (%v)", err)
	}
	for _, image := range []string{ownImage, officialImage} {
		if slices.Contains(available, image) {
			return image, image + ", which the engine has"
		}
	}
	if err := pull(t.Context(), engine, officialImage); err != nil {
		return "", fmt.Sprintf("the Docker engine does not have %s (`make kafka-image` builds it), and %v", ownImage, err)
	}
	return officialImage, officialImage + ", pulled"
}

// withoutRyuk disables Ryuk, the cleaner of testcontainers, which is one more image to pull, unless the environment variable is
// set: tests remove their containers. testcontainers reads the variable once, at its first use.
func withoutRyuk(t testing.TB) {
	t.Helper()
	const variable = "TESTCONTAINERS_RYUK_DISABLED"
	if os.Getenv(variable) == "" {
		t.Setenv(variable, "true")
	}
}

// imagesOf returns the images of the engine, by name and tag.
func imagesOf(ctx context.Context, engine *testcontainers.DockerProvider) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	images, err := engine.ListImages(ctx)
	for _, image := range images {
		names = append(names, image.Name)
	}
	return names, err
}

// pull pulls an image. It requests the manifest first, because testcontainers retries without a limit.
func pull(ctx context.Context, engine *testcontainers.DockerProvider, image string) error {
	inspecting, cancel := context.WithTimeout(ctx, registryTimeout)
	defer cancel()
	if _, err := engine.Client().DistributionInspect(inspecting, image, client.DistributionInspectOptions{}); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no response within %s", registryTimeout)
		}
		return fmt.Errorf("pull %s: %s", image, strings.TrimSpace(err.Error()))
	}
	pulling, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	if err := engine.PullImage(pulling, image); err != nil {
		return fmt.Errorf("pull %s: %w", image, err)
	}
	return nil
}
