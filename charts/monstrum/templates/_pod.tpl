{{/*
The settings of a component's pods, as JSON: `pod`, and over it the component's own, without some containers.
Call with (list . <component's values> <names of containers>).
What is said of pods can't take their confinement away: the schema has no words for it, and what is ours is refused here.
*/}}
{{- define "monstrum.pod" -}}
{{- $root := index . 0 -}}
{{- $own := (index . 1).pod | default dict -}}
{{- $pod := mergeOverwrite (deepCopy $root.Values.pod) (deepCopy $own) -}}
{{- $_ := set $pod "labels" (merge (deepCopy ($pod.labels | default dict)) $root.Values.commonLabels) -}}
{{- range $key, $value := $pod.labels -}}
{{- if or (hasPrefix "monstrum.dev/" $key) (hasPrefix "app.kubernetes.io/" $key) -}}
{{- fail (printf "labels of pods: %s is the chart's to set" $key) -}}
{{- end -}}
{{- end -}}
{{- $secrets := list -}}
{{- range concat (($root.Values.global | default dict).imagePullSecrets | default list) ($root.Values.pod.imagePullSecrets | default list) ($own.imagePullSecrets | default list) -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- $_ := set $pod "imagePullSecrets" ($secrets | uniq) -}}
{{- range $name := (index . 2) -}}
{{- if $pod.containers -}}{{- $_ := unset $pod.containers $name -}}{{- end -}}
{{- end -}}
{{- /* What says nothing is left out. */ -}}
{{- range $key, $value := $pod -}}
{{- if not $value -}}{{- $_ := unset $pod $key -}}{{- end -}}
{{- end -}}
{{- toJson $pod -}}
{{- end -}}

{{/* The metadata of a component's pods; call with (list . "component" $pod). */}}
{{- define "monstrum.podMetadata" -}}
{{- $root := index . 0 -}}{{- $pod := index . 2 -}}
labels: {{- merge (include "monstrum.labels" (list $root (index . 1)) | fromYaml) ($pod.labels | default dict) | toYaml | nindent 2 }}
{{- with $pod.annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What PodSecurity "restricted" asks of a pod, and as whom it runs; call with $pod. */}}
{{- define "monstrum.podSecurity" -}}
{{- $said := .securityContext | default dict -}}
runAsNonRoot: true
{{- range list "runAsUser" "runAsGroup" "fsGroup" }}
{{- if hasKey $said . }}
{{ . }}: {{ index $said . | int64 }}
{{- else if not $said.assignedByPlatform }}
{{ . }}: 65532
{{- end }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- with $said.seLinuxOptions }}
seLinuxOptions: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* And of a container. */}}
{{- define "monstrum.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* A selector of a term about pods: as it is said, or the workload's own; call with (list . "component" $term). */}}
{{- define "monstrum.ownPods" -}}
{{- $term := deepCopy (index . 2) -}}
{{- if not $term.labelSelector -}}
{{- $_ := set $term "labelSelector" (dict "matchLabels" (include "monstrum.selector" (list (index . 0) (index . 1)) | fromYaml)) -}}
{{- end -}}
{{- toJson $term -}}
{{- end -}}

{{/* Where pods run and what they are pulled with; call with (list . "component" $pod). */}}
{{- define "monstrum.podPlacement" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}{{- $pod := index . 2 -}}
{{- range $field := list "nodeSelector" "tolerations" "priorityClassName" "runtimeClassName" "imagePullSecrets" }}
{{- with index $pod $field }}
{{ dict $field . | toYaml }}
{{- end }}
{{- end }}
{{- with $pod.topologySpreadConstraints }}
topologySpreadConstraints:
{{- range . }}
  - {{ include "monstrum.ownPods" (list $root $component .) }}
{{- end }}
{{- end }}
{{- with $pod.affinity }}
{{- $affinity := deepCopy . }}
{{- range $side := list "podAffinity" "podAntiAffinity" }}
{{- with index $affinity $side }}
{{- $terms := dict }}
{{- with .requiredDuringSchedulingIgnoredDuringExecution }}
{{- $required := list }}
{{- range . }}{{- $required = append $required (include "monstrum.ownPods" (list $root $component .) | fromJson) }}{{- end }}
{{- $_ := set $terms "requiredDuringSchedulingIgnoredDuringExecution" $required }}
{{- end }}
{{- with .preferredDuringSchedulingIgnoredDuringExecution }}
{{- $preferred := list }}
{{- range . }}
{{- $preferred = append $preferred (dict "weight" .weight "podAffinityTerm" (include "monstrum.ownPods" (list $root $component .podAffinityTerm) | fromJson)) }}
{{- end }}
{{- $_ := set $terms "preferredDuringSchedulingIgnoredDuringExecution" $preferred }}
{{- end }}
{{- $_ := set $affinity $side $terms }}
{{- end }}
{{- end }}
affinity: {{- toYaml $affinity | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The size of a component's one container, named like it; call with (list "component" $pod). */}}
{{- define "monstrum.resources" -}}
{{- $container := index ((index . 1).containers | default dict) (index . 0) | default dict -}}
resources: {{- $container.resources | default dict | toYaml | nindent 2 }}
{{- end -}}

{{/* Its further variables; call with (list "component" $pod). */}}
{{- define "monstrum.env" -}}
{{- $container := index ((index . 1).containers | default dict) (index . 0) | default dict -}}
{{- range $name, $value := $container.env }}
{{- if regexMatch "^(MONSTRUM_|POD_|LD_|GLIBC_|SSL_CERT_|PATH$|HOME$)" $name }}
{{- fail (printf "environment of %s: %s is the chart's to set" (index $ 0) $name) }}
{{- end }}
- {name: {{ $name }}, value: {{ $value | replace "$" "$$" | quote }}}
{{- end }}
{{- end -}}
