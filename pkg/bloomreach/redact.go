package bloomreach

import "github.com/rechargeflow/rechargeflow/pkg/httpclient"

// maxTexts limits the texts that are kept of one response.
const maxTexts = 10

// redactor makes the texts of a response safe for logs and errors.
type redactor struct {
	quoter  httpclient.Quoter
	secrets []string
}

func newRedactor(secrets []string) redactor {
	return redactor{quoter: httpclient.NewQuoter(), secrets: secrets}
}

// text quotes a text without the secrets, see [httpclient.Quoter].
func (r redactor) text(s string) string { return r.quoter.Quote(s, r.secrets...) }

// texts quotes the first maxTexts texts, without empty ones. It returns at least one.
func (r redactor) texts(all []string) (quoted []string) {
	for _, text := range all[:min(len(all), maxTexts)] {
		if text = r.text(text); text != "" {
			quoted = append(quoted, text)
		}
	}
	if len(quoted) == 0 {
		return []string{"rejected without a reason"}
	}
	return quoted
}
