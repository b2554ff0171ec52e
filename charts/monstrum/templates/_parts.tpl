{{/* Labels of an object; call with (list . "component"). */}}
{{- define "monstrum.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: monstrum
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end -}}

{{/* Labels that find a component's pods. */}}
{{- define "monstrum.selector" -}}
app.kubernetes.io/name: monstrum
app.kubernetes.io/component: {{ . }}
{{- end -}}

{{/* An image, by digest where there is one; call with (list . "name"). */}}
{{- define "monstrum.image" -}}
{{- $root := index . 0 -}}
{{- $digest := index ($root.Values.image.digests | default dict) (index . 1) -}}
{{- if $digest -}}
{{- printf "%s/%s@%s" $root.Values.image.registry (index . 1) $digest -}}
{{- else -}}
{{- printf "%s/%s:%s" $root.Values.image.registry (index . 1) ($root.Values.image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What PodSecurity "restricted" asks of a pod. */}}
{{- define "monstrum.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* And of a container. */}}
{{- define "monstrum.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Where pods run and what they are pulled with; call with (list . <component's values>). */}}
{{- define "monstrum.placement" -}}
{{- $root := index . 0 -}}{{- $values := index . 1 -}}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
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

{{/* Annotations of bots' pods as the operator reads them. */}}
{{- define "monstrum.annotationList" -}}
{{- $list := list -}}
{{- range $key, $value := . -}}{{- $list = append $list (printf "%s=%s" $key $value) -}}{{- end -}}
{{- join "," $list -}}
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
