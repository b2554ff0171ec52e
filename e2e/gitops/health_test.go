// Package gitops shows that deployment tools read the status of our objects as it is meant: Argo CD by the script that we ship, on the
// Lua engine that it runs scripts with, and Flux by kstatus.
package gitops

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/yaml"
)

const (
	settings    = "../../manifests/argocd/argocd-cm.yaml"
	definitions = "../../crds/yaml"
	prefix      = "resource.customizations.health.monstrum.dev_"
)

// scripts are the shipped health scripts, by kind.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	var patch struct{ Data map[string]string }
	if err := yaml.UnmarshalStrict(text, &patch); err != nil {
		t.Fatal(err)
	}
	byKind := map[string]string{}
	for key, script := range patch.Data {
		kind, found := strings.CutPrefix(key, prefix)
		if !found {
			t.Fatalf("%s is not a setting of ours", key)
		}
		byKind[kind] = script
	}
	return byKind
}

// kinds are those that the definitions define.
func kinds(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(definitions, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no definitions", err)
	}
	var kinds []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var definition struct {
			Spec struct{ Names struct{ Kind string } }
		}
		if err := yaml.Unmarshal(text, &definition); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, definition.Spec.Names.Kind)
	}
	sort.Strings(kinds)
	return kinds
}

// table is a value of an object as Argo CD hands it to scripts.
func table(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		list := state.NewTable()
		for _, item := range value {
			list.Append(table(state, item))
		}
		return list
	case map[string]any:
		fields := state.NewTable()
		for key, field := range value {
			fields.RawSetString(key, table(state, field))
		}
		return fields
	default:
		return lua.LNil
	}
}

// health runs a script with the libraries that Argo CD gives to scripts, and no others.
func health(t *testing.T, script string, object map[string]any) (string, string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName:   lua.OpenPackage,
		lua.BaseLibName:   lua.OpenBase,
		lua.TabLibName:    lua.OpenTable,
		lua.StringLibName: lua.OpenString,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), NRet: 0, Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", table(state, object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	answer, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script answers with a %s", state.Get(-1).Type())
	}
	return answer.RawGetString("status").String(), answer.RawGetString("message").String()
}

type condition = map[string]any

func said(about, holds, reason, message string) condition {
	return condition{"type": about, "status": holds, "reason": reason, "message": message}
}

var cases = []struct {
	name string
	// generation observed, of 2; nothing is said where it is 0.
	observed   int64
	conditions []condition
	deleted    bool
	argo       string
	kstatus    status.Status
	says       string
}{
	{name: "never seen", observed: -1, conditions: []condition{said("Ready", "Unknown", "Pending", "")}, argo: "Progressing", kstatus: status.InProgressStatus},
	{name: "no status", argo: "Progressing"},
	{name: "an earlier generation", observed: 1, conditions: []condition{said("Ready", "True", "Ready", "")}, argo: "Progressing", kstatus: status.InProgressStatus},
	{name: "ready", observed: 2, conditions: []condition{said("Ready", "True", "Ready", "")}, argo: "Healthy", kstatus: status.CurrentStatus},
	{name: "on its way", observed: 2, conditions: []condition{
		said("Programmed", "False", "Progressing", "0 of 1 pods are ready"),
		said("Ready", "False", "Progressing", "0 of 1 pods are ready"),
		said("Reconciling", "True", "Progressing", "0 of 1 pods are ready"),
	}, argo: "Progressing", kstatus: status.InProgressStatus, says: "0 of 1 pods"},
	{name: "being enforced", observed: 2, conditions: []condition{
		said("Ready", "False", "AwaitingGateway", "0 of 1 gateways"),
	}, argo: "Progressing", kstatus: status.InProgressStatus},
	{name: "stalled", observed: 2, conditions: []condition{
		said("ResolvedRefs", "False", "SecretNotFound", "there is no Secret"),
		said("Ready", "False", "SecretNotFound", "there is no Secret"),
		said("Stalled", "True", "SecretNotFound", "there is no Secret"),
	}, argo: "Degraded", kstatus: status.FailedStatus, says: "SecretNotFound: there is no Secret"},
	{name: "wrong, and nothing else is said", observed: 2, conditions: []condition{
		said("Ready", "False", "Invalid", "spec.x"),
	}, argo: "Degraded", kstatus: status.InProgressStatus, says: "Invalid: spec.x"},
	{name: "suspended", observed: 2, conditions: []condition{
		said("Programmed", "True", "Suspended", ""),
		said("Ready", "False", "Suspended", "set spec.suspend to false"),
	}, argo: "Suspended", kstatus: status.InProgressStatus},
	{name: "deleted", observed: 2, deleted: true, conditions: []condition{said("Ready", "True", "Ready", "")}, argo: "Progressing", kstatus: status.TerminatingStatus},
}

func object(kind string, observed int64, deleted bool, conditions []condition) map[string]any {
	metadata := map[string]any{"name": "x", "namespace": "team-a", "generation": int64(2)}
	if deleted {
		metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
	}
	object := map[string]any{"apiVersion": "monstrum.dev/v1alpha1", "kind": kind, "metadata": metadata}
	if observed != 0 {
		list := make([]any, 0, len(conditions))
		for _, condition := range conditions {
			list = append(list, condition)
		}
		object["status"] = map[string]any{"observedGeneration": observed, "conditions": list}
	}
	return object
}

func TestEveryKindHasItsHealth(t *testing.T) {
	byKind := scripts(t)
	for _, kind := range kinds(t) {
		if byKind[kind] == "" {
			t.Errorf("%s has no health script", kind)
		}
		delete(byKind, kind)
	}
	for kind := range byKind {
		t.Errorf("there is no kind %s", kind)
	}
}

func TestArgoReadsEachStatusAsItIsMeant(t *testing.T) {
	for kind, script := range scripts(t) {
		for _, c := range cases {
			got, message := health(t, script, object(kind, c.observed, c.deleted, c.conditions))
			if got != c.argo || !strings.Contains(message, c.says) {
				t.Errorf("%s, %s: %s (%s), expected %s", kind, c.name, got, message, c.argo)
			}
		}
	}
}

func TestKstatusReadsEachStatusAsItIsMeant(t *testing.T) {
	for _, c := range cases {
		if c.kstatus == "" {
			continue
		}
		result, err := status.Compute(&unstructured.Unstructured{Object: object("Bot", c.observed, c.deleted, c.conditions)})
		if err != nil {
			t.Fatal(err)
		}
		if result.Status != c.kstatus {
			t.Errorf("%s: %s (%s), expected %s", c.name, result.Status, result.Message, c.kstatus)
		}
	}
}
