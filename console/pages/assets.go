package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
)

//go:embed static
var staticFiles embed.FS

// assetPath is where assets are. No store's name has an underscore.
const (
	assetPath    = "/_static/"
	assetPattern = assetPath + ":file"
)

// assets are files that never change under their name, which has a hash of their content.
type assets struct {
	byName map[string]string // console.css: console.1a2b3c4d.css
	bodies map[string][]byte // by the name with the hash
}

func newAssets() (assets, error) {
	files, err := staticFiles.ReadDir("static")
	if err != nil {
		return assets{}, fmt.Errorf("read assets: %w", err)
	}
	a := assets{byName: map[string]string{}, bodies: map[string][]byte{}}
	for _, file := range files {
		body, err := staticFiles.ReadFile("static/" + file.Name())
		if err != nil {
			return assets{}, fmt.Errorf("read assets: %w", err)
		}
		sum, extension := sha256.Sum256(body), path.Ext(file.Name())
		hashed := strings.TrimSuffix(file.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
		a.byName[file.Name()], a.bodies[hashed] = hashed, body
	}
	return a, nil
}

// path returns the address of a file.
func (a assets) path(name string) (string, error) {
	hashed, found := a.byName[name]
	if !found {
		return "", fmt.Errorf("there is no asset %s", name)
	}
	return assetPath + hashed, nil
}

// serve answers with a file.
func (a assets) serve(c echo.Context) error {
	body, found := a.bodies[c.Param("file")]
	if !found {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, mime.TypeByExtension(path.Ext(c.Param("file"))), body)
}
