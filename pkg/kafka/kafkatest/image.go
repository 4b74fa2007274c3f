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

// How long an engine and its registry may take to answer, and the image (400 MB) to arrive.
const (
	engineTimeout   = 10 * time.Second
	registryTimeout = 5 * time.Second
	pullTimeout     = 5 * time.Minute
)

// Image names the image of Apache Kafka that a container is made of here, and says why that one; or, with no name, why
// there is none:
//
//   - the one that RECHARGEFLOW_TEST_CONTAINERS names, pulled when it is used; none with the value "none"
//   - rechargeflow-kafka:4.3.0 (make kafka-image), else apache/kafka:4.3.0, if the engine holds it
//   - apache/kafka:4.3.0, pulled now, where the engine's registry answers within 5 s
func Image(t testing.TB) (name, why string) {
	t.Helper()
	switch asked := os.Getenv(imageVariable); asked {
	case "":
	case noContainers:
		return "", imageVariable + " asks for no containers"
	default:
		return asked, fmt.Sprintf("%s, which %s names", asked, imageVariable)
	}
	withoutRyuk(t)
	engine, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", fmt.Sprintf("no Docker engine answers (%v)", err)
	}
	defer engine.Close() //nolint:errcheck // nothing is under way
	held, err := imagesOf(t.Context(), engine)
	if err != nil {
		return "", fmt.Sprintf("no Docker engine answers (%v)", err)
	}
	for _, image := range []string{ownImage, officialImage} {
		if slices.Contains(held, image) {
			return image, image + ", which the engine holds"
		}
	}
	if err := pull(t.Context(), engine, officialImage); err != nil {
		return "", fmt.Sprintf("the Docker engine does not hold %s (`make kafka-image` builds it), and %v", ownImage, err)
	}
	return officialImage, officialImage + ", pulled"
}

// withoutRyuk spares the engine testcontainers' own cleaner, one more image to pull, unless the environment says
// otherwise: a test removes its container itself. It is read once, at the first use of testcontainers.
func withoutRyuk(t testing.TB) {
	t.Helper()
	const variable = "TESTCONTAINERS_RYUK_DISABLED"
	if os.Getenv(variable) == "" {
		t.Setenv(variable, "true")
	}
}

// imagesOf lists the images that the engine holds, by name and tag.
func imagesOf(ctx context.Context, engine *testcontainers.DockerProvider) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	images, err := engine.ListImages(ctx)
	for _, image := range images {
		names = append(names, image.Name)
	}
	return names, err
}

// pull asks the registry for the image's manifest first: testcontainers tries for as long as it may.
func pull(ctx context.Context, engine *testcontainers.DockerProvider, image string) error {
	asking, cancel := context.WithTimeout(ctx, registryTimeout)
	defer cancel()
	if _, err := engine.Client().DistributionInspect(asking, image, client.DistributionInspectOptions{}); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", registryTimeout)
		}
		return fmt.Errorf("can't pull %s: %s", image, strings.TrimSpace(err.Error()))
	}
	pulling, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	if err := engine.PullImage(pulling, image); err != nil {
		return fmt.Errorf("can't pull %s: %w", image, err)
	}
	return nil
}
