package people

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/rechargeflow/rechargeflow/cmd/rechargeflow/internal/cli"
)

// ask returns a password: from a terminal typed twice and not shown, else the first line.
func ask(in io.Reader, prompt io.Writer) (string, error) {
	terminal, isFile := in.(*os.File)
	if !isFile || !term.IsTerminal(int(terminal.Fd())) {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && (!errors.Is(err, io.EOF) || line == "") {
			return "", cli.Usage(errors.New("the standard input is empty, expected a password on its first line"))
		}
		return line, nil
	}
	first, err := typed(terminal, prompt, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := typed(terminal, prompt, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", cli.Usage(errors.New("the passwords differ"))
	}
	return first, nil
}

func typed(terminal *os.File, prompt io.Writer, text string) (string, error) {
	cli.Printf(prompt, "%s", text)
	password, err := term.ReadPassword(int(terminal.Fd()))
	cli.Printf(prompt, "\n")
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(password), nil
}
