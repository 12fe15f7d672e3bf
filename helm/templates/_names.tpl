{{/* Names, labels, image. */}}

{{- define "consumer.chart" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{/*
How the names of all resources begin. 44 characters, because a CronJob's name has 52 and ours ends with -redrive.
The alert on a failed redrive has it, too, so localdev/observability/rules.py does the same.
*/}}
{{- define "consumer.name" -}}
{{- with .Values.fullnameOverride -}}
{{ . }}
{{- else -}}
{{- $chart := include "consumer.chart" . -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- $name | trunc 44 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Called with (dict "root" $ "component" "worker"): what selects pods, fixed for ever. */}}
{{- define "consumer.selector" -}}
app.kubernetes.io/name: {{ include "consumer.chart" .root | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* The chart's own labels, which win; `more`, which is optional, wins over the labels of everything. */}}
{{- define "consumer.labels" -}}
{{- $own := include "consumer.selector" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" (.root.Values.image.tag | default .root.Chart.AppVersion | trunc 63) -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63) -}}
{{- mergeOverwrite (dict) .root.Values.commonLabels (.more | default dict) $own | toYaml -}}
{{- end -}}

{{/* name, namespace and labels; `suffix`, `component` and `more` are optional. */}}
{{- define "consumer.metadata" -}}
name: {{ include "consumer.name" .root }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "consumer.labels" . | nindent 2 }}
{{- end -}}

{{- define "consumer.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Called with (dict "root" $ "account" .Values.serviceAccount "suffix" ""). */}}
{{- define "consumer.serviceAccountName" -}}
{{- if .account.name -}}
{{ .account.name }}
{{- else if .account.create -}}
{{ include "consumer.name" .root }}{{ with .suffix }}-{{ . }}{{ end }}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- define "consumer.serviceAccount" -}}
{{- if .account.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "consumer.serviceAccountName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "consumer.labels" . | nindent 4 }}
  {{- with .account.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}
