package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each page of docs/runbooks has three commands to look with, and they exist: those of the binary, paths of the admin port, and
// messages that the log can have.
func TestCommandsOfRunbooksExist(t *testing.T) {
	messages := logMessages(t)
	pages, err := filepath.Glob("../../docs/runbooks/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range pages {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(string(content))
		require.NotNil(t, block, page)
		commands := strings.Split(strings.TrimSpace(block[1]), "\n")
		assert.Len(t, commands, 3, page)
		for _, line := range commands {
			line, _, _ = strings.Cut(line, "   #")
			checkCommand(t, page, line, messages)
		}
		for _, inText := range regexp.MustCompile("`(rechargeflow [^`]+)`").FindAllStringSubmatch(string(content), -1) {
			checkCommand(t, page, inText[1], messages)
		}
	}
}

func checkCommand(t *testing.T, page, line, messages string) {
	t.Helper()
	words := strings.Fields(line)
	switch words[0] {
	case "rechargeflow":
		command, rest, err := newRoot(nil).Find(words[1:])
		require.NoError(t, err, "%s: %s", page, line)
		assert.NotEqual(t, "rechargeflow", command.Name(), "%s: %s", page, line)
		require.NoError(t, command.ParseFlags(rest), "%s: %s", page, line)
		assert.False(t, command.HasSubCommands(), "%s: %s", page, line)
	case "curl":
		assert.Regexp(t, `localhost:9090/(readyz|metrics)\b`, line, page)
	case "grep":
		assert.Contains(t, line, "rechargeflow.log", page)
		for _, message := range regexp.MustCompile(`'"([a-z][^":]+)"'`).FindAllStringSubmatch(line, -1) {
			assert.Contains(t, messages, message[1], page)
		}
	default:
		assert.Contains(t, []string{"df", "du", "sqlite3", "openssl"}, words[0], "%s: %s", page, line)
	}
}

// logMessages returns the code of the product, which has all messages. "sms gateway failed" is put together.
func logMessages(t *testing.T) string {
	t.Helper()
	var code strings.Builder
	code.WriteString("sms gateway failed\n")
	for _, top := range []string{"app", "pipeline", "pkg"} {
		require.NoError(t, filepath.WalkDir("../../"+top, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			code.Write(content)
			return err
		}))
	}
	return code.String()
}
