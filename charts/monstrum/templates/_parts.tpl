{{/* The value of the label app.kubernetes.io/name. */}}
{{- define "monstrum.name" -}}
{{- .Values.nameOverride | default "monstrum" | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What names begin with. */}}
{{- define "monstrum.fullname" -}}
{{- .Values.fullnameOverride | default .Values.nameOverride | default "monstrum" | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels of an object; call with (list . "component"). */}}
{{- define "monstrum.labels" -}}
{{- $root := index . 0 -}}
{{- $own := dict
      "app.kubernetes.io/name" (include "monstrum.name" $root)
      "app.kubernetes.io/component" (index . 1)
      "app.kubernetes.io/instance" $root.Release.Name
      "app.kubernetes.io/version" $root.Chart.AppVersion
      "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- merge $own $root.Values.commonLabels | toYaml -}}
{{- end -}}

{{/* Labels that find a component's pods; call with (list . "component"). */}}
{{- define "monstrum.selector" -}}
app.kubernetes.io/name: {{ include "monstrum.name" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* An image, by digest where there is one; call with (list . "name"). */}}
{{- define "monstrum.image" -}}
{{- $root := index . 0 -}}
{{- $image := $root.Values.image -}}
{{- $registry := ($root.Values.global | default dict).imageRegistry | default $image.registry | trimSuffix "/" -}}
{{- $digest := index ($image.digests | default dict) (index . 1) -}}
{{- if $digest -}}
{{- printf "%s/%s@%s" $registry (index . 1) $digest -}}
{{- else -}}
{{- printf "%s/%s:%s" $registry (index . 1) ($image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Probes on the admin port. */}}
{{- define "monstrum.probes" -}}
livenessProbe: {httpGet: {path: /healthz, port: admin}, periodSeconds: 10}
readinessProbe: {httpGet: {path: /readyz, port: admin}, periodSeconds: 1}
{{- end -}}

{{/* Who may read metrics, as an ingress rule. */}}
{{- define "monstrum.metricsIngress" -}}
{{- with .Values.metrics.namespace }}
- from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}}]
  ports: [{port: admin}]
{{- end }}
{{- end -}}

{{/* Where names are resolved, as JSON with namespace, podLabels, addresses and ports. */}}
{{- define "monstrum.dns" -}}
{{- $dns := deepCopy .Values.dns -}}
{{- if and (eq $dns.namespace "kube-system") (not $dns.podLabels) -}}
{{- $_ := set $dns "podLabels" (dict "k8s-app" "kube-dns") -}}
{{- end -}}
{{- toJson $dns -}}
{{- end -}}

{{/* The way to where names are resolved, as an egress rule. */}}
{{- define "monstrum.dnsEgress" -}}
{{- $dns := include "monstrum.dns" . | fromJson -}}
- to:
    {{- with $dns.namespace }}
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}
      {{- with $dns.podLabels }}
      podSelector: {matchLabels: {{ toJson . }}}
      {{- end }}
    {{- end }}
    {{- range $dns.addresses }}
    - ipBlock: {cidr: {{ if contains "/" . }}{{ . }}{{ else if contains ":" . }}{{ . }}/128{{ else }}{{ . }}/32{{ end }}}
    {{- end }}
  ports:
    {{- range $dns.ports }}
    - {port: {{ int . }}, protocol: UDP}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
{{- end -}}

{{/* When one of the operators leads. */}}
{{- define "monstrum.leaseTimes" -}}
{{- if lt (int .seconds) (add (int .renewSeconds) (int .retrySeconds) | int) -}}
{{- fail "operator.lease.seconds must be at least operator.lease.renewSeconds and operator.lease.retrySeconds together" -}}
{{- end -}}
{{- if lt (int .renewSeconds) (mul 3 (int .retrySeconds) | int) -}}
{{- fail "operator.lease.renewSeconds must be at least three times operator.lease.retrySeconds" -}}
{{- end -}}
- {name: MONSTRUM_LEASE_SECONDS, value: {{ .seconds | quote }}}
- {name: MONSTRUM_LEASE_RENEW_SECONDS, value: {{ .renewSeconds | quote }}}
- {name: MONSTRUM_LEASE_RETRY_SECONDS, value: {{ .retrySeconds | quote }}}
{{- end -}}

{{/* The operator's rights on objects of namespaces. */}}
{{- define "monstrum.rules" -}}
# Our kinds: read, and their status written. Their spec is the users'.
- apiGroups: [monstrum.dev]
  resources: [workspaces, modelproviders, credentials, resources, bots, botroles, botbindings, channels]
  verbs: [get, list, watch]
- apiGroups: [monstrum.dev]
  resources:
    - workspaces/status
    - modelproviders/status
    - credentials/status
    - resources/status
    - bots/status
    - botroles/status
    - botbindings/status
    - channels/status
  verbs: [get, patch]
# Secrets: metadata is watched, values are read one by one when they are used, certificates are written.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
# What bots and channels are made of.
- apiGroups: [""]
  resources: [services, serviceaccounts, configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
# Why a pod does not run is told in its Bot's status.
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
