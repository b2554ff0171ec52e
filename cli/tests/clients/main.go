// Reads texts as the API server's clients do: a JSON list of texts comes in, and for each text goes out a JSON list of its
// objects, as the API server would give them back, or null where the text is refused.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		log.Fatal(err)
	}
	answers := make([][]any, len(texts))
	for number, text := range texts {
		answers[number] = read(text)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

// What kubectl's builder does with a file: each document becomes JSON, and that an object.
func read(text string) []any {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	values := []any{}
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			return values
		} else if err != nil {
			return nil
		}
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		var value any
		if err := utiljson.Unmarshal(raw, &value); err != nil {
			return nil
		}
		values = append(values, value)
	}
}
