package browser

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Browser is a running Chromium.
type Browser struct {
	ctx context.Context
	// cache has axe-core, and screenshots is where those are saved.
	cache, screenshots string
}

// Start starts Chromium with a profile of its own. It ends with the test, which is skipped where there is none.
func Start(t testing.TB) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		t.Skip("no Chromium: install Debian's package chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.WSURLReadTimeout(time.Minute),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "start Chromium")
	root := repository()
	return &Browser{ctx: ctx, cache: filepath.Join(root, ".cache"), screenshots: screenshots(root)}
}

// find returns the path of Chromium, "" if there is none.
func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// repository is its directory.
func repository() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// screenshots is RECHARGEFLOW_SCREENSHOTS, relative to the repository, where it is set.
func screenshots(root string) string {
	dir := cmp.Or(os.Getenv("RECHARGEFLOW_SCREENSHOTS"), filepath.Join(".cache", "screenshots"))
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(root, dir)
}

// save writes a file for people to look at.
func (b *Browser) save(name string, content []byte) error {
	if err := os.MkdirAll(b.screenshots, 0o755); err != nil { //nolint:gosec // pictures of test data
		return err
	}
	return os.WriteFile(filepath.Join(b.screenshots, name+".png"), content, 0o644) //nolint:gosec // pictures of test data
}
