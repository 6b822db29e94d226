login-title = Anmeldung mit { $brand }
login-for-rp = Der folgende Dienst ersucht um die Bestätigung Ihrer Identität:
login-for-history = Melden Sie sich an, um Ihre Zugriffe auf Dienste einzusehen.
login-level = Verlangte Sicherheitsstufe:
login-submit = Anmelden
login-failed = Die Anmeldung ist fehlgeschlagen
login-error-wrong_credentials = Der Benutzername oder das Passwort ist nicht richtig. Bitte überprüfen Sie Ihre Angaben und versuchen Sie es erneut.
login-error-missing_username = Geben Sie Ihren Benutzernamen ein.
login-error-missing_password = Geben Sie Ihr Passwort ein.
login-error-throttled-seconds = { $seconds ->
    [one] Zu viele Versuche. Bitte warten Sie eine Sekunde und versuchen Sie es erneut.
   *[other] Zu viele Versuche. Bitte warten Sie { $seconds } Sekunden und versuchen Sie es erneut.
}
login-error-throttled-minutes = { $minutes ->
    [one] Zu viele Versuche. Bitte warten Sie eine Minute und versuchen Sie es erneut.
   *[other] Zu viele Versuche. Bitte warten Sie { $minutes } Minuten und versuchen Sie es erneut.
}
login-error-level_not_reachable = Mit den für diese Person registrierten Anmeldemitteln kann die vom Dienst verlangte Sicherheitsstufe nicht erreicht werden.
login-error-form_expired = Die Seite war zu lange geöffnet oder die Cookies wurden gelöscht. Bitte geben Sie Ihre Daten erneut ein.
login-error-clock_went_back = Ihre frühere Anmeldung gilt nicht mehr: Die Uhr dieses Systems ging zurück. Sie haben nichts falsch gemacht: Bitte melden Sie sich noch einmal an.
login-error-busy = Derzeit melden sich sehr viele Personen an. Bitte warten Sie einige Sekunden und versuchen Sie es erneut.
login-attributes = Vom Dienst verlangte Daten
login-attributes-note = Nach der Anmeldung sehen Sie diese Daten und entscheiden, ob Sie sie übermitteln.

consent-title = Zustimmung zur Übermittlung von Daten an { $rp }
consent-who = Angemeldet als { $name }. Bitte überprüfen Sie, bevor Sie fortfahren, welche Daten dem Dienst übermittelt werden:
consent-attributes = Daten, die übermittelt werden
consent-no-value = nicht vorhanden: wird nicht übermittelt
consent-identifier-only = Keine Angaben zur Person. Der Dienst erhält nur einen Code, der Sie bei diesem Dienst unterscheidet und den kein anderer Dienst erhält.
consent-offline-title = Zugriff in Ihrer Abwesenheit
consent-offline = Ich erlaube { $rp }, diese Daten auch in meiner Abwesenheit zu aktualisieren
consent-offline-help = Dies ist freiwillig: Auch ohne Häkchen gelingt die Anmeldung. Sie können diese Ermächtigung jederzeit auf der Seite „Ihre Zugriffe“ widerrufen.
consent-offline-included = { $rp } kann diese Daten auch in Ihrer Abwesenheit aktualisieren. Sie können diese Ermächtigung jederzeit auf der Seite „Ihre Zugriffe“ widerrufen.
consent-level = Sicherheitsstufe dieser Anmeldung:
consent-next = Danach kehren Sie zurück zu: { $host }
consent-allow = Ich stimme zu
consent-deny = Ich stimme nicht zu
