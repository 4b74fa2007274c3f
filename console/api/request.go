package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rechargeflow/rechargeflow/console/access"
)

// maxBody is the longest body of a request.
const maxBody = 256 << 10

// read decodes the JSON body of a request. A field that it does not know is refused: it may be a spelling mistake.
func read(c echo.Context, into any) error {
	body, err := bodyOf(c)
	if err != nil {
		return err
	}
	return decode(body, into)
}

func bodyOf(c echo.Context) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || kind != echo.MIMEApplicationJSON {
		return nil, refuse(http.StatusUnsupportedMediaType, "the body must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", maxBody)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the body could not be read")
	}
	return body, nil
}

func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, "the body is not valid: %s", wordsOf(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, "the body is not valid: there is something behind the JSON value")
	}
	return plain(body)
}

// plain refuses a valid JSON value that is no object, or that has a null: to leave a field as it is, leave it out.
func plain(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	for first := true; ; first = false {
		token, err := decoder.Token()
		switch {
		case err != nil: // its end: it was decoded before
			return nil //nolint:nilerr // io.EOF
		case first && token != json.Delim('{'):
			return refuse(http.StatusBadRequest, "the body is not valid: expected an object")
		case token == nil:
			return refuse(http.StatusBadRequest, "the body is not valid: null is no value, leave the field out")
		}
	}
}

// wordsOf explains an error of the decoder.
func wordsOf(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return wrong.Field + " must not be a " + wrong.Value
	case errors.Is(err, io.EOF):
		return "it is empty"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// readVersioned is read for a change of what has a version, and returns the version that the request names with If-Match or in its body.
func readVersioned(c echo.Context, into any) (int, error) {
	body, err := bodyOf(c)
	if err != nil {
		return 0, err
	}
	if err := decode(body, into); err != nil {
		return 0, err
	}
	var named struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(body, &named); err != nil {
		return 0, refuse(http.StatusBadRequest, "the body is not valid: %s", wordsOf(err))
	}
	return versionOf(c, named.Version)
}

// versionOf returns the version that a request names with If-Match or in its body.
func versionOf(c echo.Context, named *int) (int, error) {
	matched, err := ifMatch(c)
	switch {
	case err != nil:
		return 0, err
	case matched != nil && named != nil && *matched != *named:
		return 0, refuse(http.StatusBadRequest, "If-Match and version name different versions")
	case matched != nil:
		return *matched, nil
	case named != nil:
		return *named, nil
	}
	return 0, refuse(http.StatusPreconditionRequired, "name the version that you have seen, with If-Match or version")
}

// headerIfMatch names the version that a change is made for.
const headerIfMatch = "If-Match"

// hasIfMatch reports whether a request has If-Match, which may be empty.
func hasIfMatch(c echo.Context) bool { return len(c.Request().Header.Values(headerIfMatch)) > 0 }

// ifMatch returns the version of If-Match, nil without one.
func ifMatch(c echo.Context) (*int, error) {
	if !hasIfMatch(c) {
		return nil, nil
	}
	tag := c.Request().Header.Get(headerIfMatch)
	version, err := strconv.Atoi(strings.Trim(tag, `"`))
	if err != nil || version < 0 || tag != strconv.Quote(strconv.Itoa(version)) {
		return nil, refuse(http.StatusBadRequest, "If-Match is not the ETag of a version, such as \"3\"")
	}
	return &version, nil
}

// parameter returns a parameter of the query, and whether it is given.
func parameter(c echo.Context, name string) (text string, given bool) {
	return c.QueryParam(name), c.QueryParams().Has(name)
}

// number returns a parameter that is a whole number in a range, or def if it is not given.
func number(c echo.Context, name string, def, least, most int) (int, error) {
	text, given := parameter(c, name)
	if !given {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, refuse(http.StatusBadRequest, "%s must be a whole number from %d to %d", name, least, most)
	}
	return n, nil
}

// yes returns a parameter that is true or false.
func yes(c echo.Context, name string) (bool, error) {
	switch text, given := parameter(c, name); {
	case text == "true":
		return true, nil
	case !given, text == "false":
		return false, nil
	}
	return false, refuse(http.StatusBadRequest, "%s must be true or false", name)
}

// instant returns a parameter that is a time in RFC 3339, the zero time if it is not given.
func instant(c echo.Context, name string) (time.Time, error) {
	text, given := parameter(c, name)
	if !given {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, refuse(http.StatusBadRequest, "%s must be a time such as 2026-03-01T10:00:00Z", name)
	}
	return at, nil
}

// mayReveal refuses to reveal personal data to who may not see it.
func mayReveal(c echo.Context, reveal bool) error {
	if reveal && !access.Of(c.Request().Context()).May(access.Operator) {
		return forbidden(access.Operator)
	}
	return nil
}

// revealed returns the parameter reveal, if the person may reveal personal data.
func revealed(c echo.Context) (bool, error) {
	reveal, err := yes(c, "reveal")
	if err != nil {
		return false, err
	}
	return reveal, mayReveal(c, reveal)
}

// wholeOnly reports whether the person finds customers only by what they know of them already.
func wholeOnly(c echo.Context) bool { return !access.Of(c.Request().Context()).May(access.Editor) }
