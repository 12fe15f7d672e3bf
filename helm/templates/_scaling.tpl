{{/* What both autoscalers have in common. */}}

{{/* "true" if an autoscaler sets the number of workers. */}}
{{- define "consumer.scales" -}}
{{- if or .Values.autoscaling.enabled .Values.hpa.enabled -}}true{{- end -}}
{{- end -}}

{{/* The largest number of workers. */}}
{{- define "consumer.most" -}}
{{- if .Values.autoscaling.enabled -}}
{{ .Values.autoscaling.maxReplicas }}
{{- else if .Values.hpa.enabled -}}
{{ .Values.hpa.maxReplicas }}
{{- else -}}
{{ .Values.replicas }}
{{- end -}}
{{- end -}}

{{/* Called with the seconds for which fewer workers must be enough. Every change of their number moves leases. */}}
{{- define "consumer.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 60
  policies:
    - {type: Percent, value: 100, periodSeconds: 60}
scaleDown:
  stabilizationWindowSeconds: {{ . }}
  policies:
    - {type: Pods, value: 1, periodSeconds: 120}
{{- end -}}
