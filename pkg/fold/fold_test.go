package fold_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rechargeflow/rechargeflow/pkg/fold"
)

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"Jo Bean": "jo bean", "  jo \t BEAN\n": "jo bean", "Jo\u00a0Bean": "jo bean", "J. R. O'Neil": "j r oneil", "J.R. O\u2019Neil": "jr oneil",
		"Jean-Luc": "jean luc", "Nguyễn": "nguyen", "Nguye\u0302\u0303n": "nguyen", "ŁĘCKI": "lecki", "Strauß": "strauss", "STRAUSS": "strauss",
		"Åse Bjørn": "ase bjorn", "İpek Işık": "ipek isik", "Ægir Þór Đặng": "aegir thor dang", "Ｊｏ": "jo", "𝐉𝐨": "jo", "J\u200bo\u200b Bean\ufeff": "jo bean",
		"Андрей": "андреи", "Ήρα": "ηρα", "李 明": "李 明", "ガ": "ガ", "हिन्दी": "हिन्दी", "R2 D2": "r2 d2", "Bean, Jo (Ms)": "bean jo ms", "...": "", "": "", "\xff\xfe": "",
	} {
		assert.Equal(t, want, strings.Join(fold.Words(name), " "), name)
	}
}

func FuzzWords(f *testing.F) {
	for _, name := range []string{"Jo Bean", "Nguyễn", "İ", "ŉ", "ΐ", "ﬃ", "\u0345", "한국", "\xff"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		once := strings.Join(fold.Words(name), " ")
		require.Equal(t, once, strings.Join(fold.Words(once), " "), "folding is done once")
	})
}
