{{/* From values to the environment of the service. */}}

{{- define "consumer.tokenFile" -}}
{{- if .Values.token.secretName -}}
/var/run/secrets/nakadi/{{ .Values.token.key }}
{{- else -}}
{{ .Values.config.nakadi_token_file }}
{{- end -}}
{{- end -}}

{{/* "true" if extraEnv has this variable. */}}
{{- define "consumer.hasEnv" -}}
{{- range .root.Values.extraEnv -}}
{{- if eq .name $.name -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* One sentence that names all that is missing, or one about what contradicts itself. */}}
{{- define "consumer.mustHave" -}}
{{- $config := .Values.config -}}
{{- $missing := list -}}
{{- if not (or $config.table $config.stream_arn (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_TABLE")) (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_STREAM_ARN"))) -}}
{{- $missing = append $missing "config.table (or config.stream_arn)" -}}
{{- end -}}
{{- if not (or $config.nakadi_url (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_NAKADI_URL"))) -}}
{{- $missing = append $missing "config.nakadi_url" -}}
{{- end -}}
{{- if not $config.event_type -}}
{{- $missing = append $missing "config.event_type" -}}
{{- end -}}
{{- if not .Values.region -}}
{{- $missing = append $missing "region" -}}
{{- end -}}
{{- if and .Values.token.required (not (or .Values.token.secretName $config.nakadi_token_file)) -}}
{{- $missing = append $missing "token.secretName (the Secret with Nakadi's token)" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- if not .Values.autoscaling.maxReplicas -}}
{{- $missing = append $missing "autoscaling.maxReplicas (the number of shards)" -}}
{{- end -}}
{{- if not .Values.autoscaling.prometheusAddress -}}
{{- $missing = append $missing "autoscaling.prometheusAddress" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.redrive.schedule (not (or $config.dead_letter_queue_url (include "consumer.hasEnv" (dict "root" $ "name" "CONSUMER_DEAD_LETTER_QUEUE_URL")))) -}}
{{- $missing = append $missing "config.dead_letter_queue_url (the queue to redrive)" -}}
{{- end -}}
{{- if $missing -}}
{{- fail (printf "these values must be set: %s." (join ", " $missing)) -}}
{{- end -}}
{{- if and $config.table $config.stream_arn -}}
{{- fail "config.table and config.stream_arn are both set: set exactly one of the two." -}}
{{- end -}}
{{- if and .Values.token.secretName $config.nakadi_token_file -}}
{{- fail "token.secretName and config.nakadi_token_file are both set: set at most one of the two." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is greater than autoscaling.maxReplicas." -}}
{{- end -}}
{{- end -}}

{{/* The text of a setting. Helm reads every number as a float, and would write 2.68435456e+08. */}}
{{- define "consumer.text" -}}
{{- if kindIs "slice" . -}}
{{ join "," . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{/* Data of the ConfigMap; what is empty is unset. The path of the token is set in the pod, with its mount. */}}
{{- define "consumer.environment" -}}
AWS_REGION: {{ .Values.region | quote }}
{{- range $name, $value := omit .Values.config "nakadi_token_file" }}
{{- $text := ternary "" (include "consumer.text" $value) (kindIs "invalid" $value) }}
{{- if $text }}
CONSUMER_{{ upper $name }}: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end -}}
