mail-greeting = Guten Tag,
mail-when = Wann: { $when } (italienische Zeit)
mail-where = Von wo: { $browser }, Adresse { $address }
mail-named = Name: { $name }
mail-account = Ihr Konto: { $url }
mail-footer = Automatische Nachricht von { $issuer }. Wir fragen nie per E-Mail oder Telefon nach Ihrem Passwort oder einem Code. Im Zweifel folgen Sie keinem Link: tippen Sie die Adresse selbst in den Browser.

mail-new-device-subject = Neue Anmeldung mit Ihrer digitalen Identität
mail-new-device-what = jemand hat sich mit Ihrer Identität bei { $issuer } angemeldet, mit einem Browser, den Sie bisher nicht verwendet haben.
mail-new-device-advice = Wenn Sie es waren, brauchen Sie nichts zu tun. Wenn nicht, öffnen Sie sofort Ihr Konto, ändern Sie Ihr Passwort und beenden Sie die Sitzungen, die Sie nicht erkennen.

mail-offline-access-used-subject = Ein Dienst hat seinen Zugang zu Ihren Daten verwendet
mail-offline-access-used-what = der Dienst „{ $rp }“ hat den Zugang verwendet, den Sie ihm auch für die Zeit gegeben haben, in der Sie nicht angemeldet sind, und kann die Daten, denen Sie zugestimmt haben, wieder lesen.
mail-offline-access-used-advice = Wenn Sie das wollen, brauchen Sie nichts zu tun. Sonst öffnen Sie Ihr Konto und widerrufen Sie die Zustimmung für diesen Dienst: von da an kann er nichts mehr lesen. Wir melden uns höchstens einmal am Tag für jeden Dienst.

mail-factor-added-subject = Neuer zweiter Faktor registriert
mail-factor-added-what = zu Ihrer Identität bei { $issuer } wurde ein zweiter Faktor hinzugefügt.
mail-factor-added-advice = Wenn Sie es nicht waren, öffnen Sie sofort Ihr Konto, entfernen Sie den zweiten Faktor, den Sie nicht erkennen, und ändern Sie Ihr Passwort.

mail-factor-removed-subject = Zweiter Faktor entfernt
mail-factor-removed-what = von Ihrer Identität bei { $issuer } wurde ein zweiter Faktor entfernt.
mail-factor-removed-advice = Wenn Sie es nicht waren, öffnen Sie sofort Ihr Konto, ändern Sie Ihr Passwort und registrieren Sie den zweiten Faktor wieder.

mail-recovery-renewed-subject = Neue Wiederherstellungscodes
mail-recovery-renewed-what = für Ihre Identität bei { $issuer } wurden neue Wiederherstellungscodes erstellt. Die früheren gelten nicht mehr.
mail-recovery-renewed-advice = Wenn Sie es nicht waren, öffnen Sie sofort Ihr Konto, ändern Sie Ihr Passwort und erstellen Sie andere Wiederherstellungscodes.

mail-recovery-used-subject = Wiederherstellungscode verwendet
mail-recovery-used-what = für eine Anmeldung mit Ihrer Identität bei { $issuer } wurde ein Wiederherstellungscode verwendet.
mail-recovery-used-advice = Wenn Sie es nicht waren, öffnen Sie sofort Ihr Konto, ändern Sie Ihr Passwort und erstellen Sie neue Wiederherstellungscodes.

mail-password-changed-subject = Passwort geändert
mail-password-changed-what = das Passwort Ihrer Identität bei { $issuer } wurde geändert. Alle anderen Sitzungen wurden beendet.
mail-password-changed-advice = Wenn Sie es nicht waren, wenden Sie sich sofort an den Kundendienst von { $issuer }: mit dem neuen Passwort kann sich nur anmelden, wer es geändert hat.

mail-factors-reset-subject = Zweite Faktoren zurückgesetzt
mail-factors-reset-what = der Kundendienst von { $issuer } hat alle zweiten Faktoren Ihrer Identität entfernt, auch die Wiederherstellungscodes.
mail-factors-reset-advice = Wenn Sie darum gebeten haben, können Sie jetzt neue registrieren. Wenn nicht, wenden Sie sich sofort an den Kundendienst von { $issuer }.

mail-email-changed-subject = E-Mail-Adresse geändert
mail-email-changed-what = der Kundendienst von { $issuer } hat die E-Mail-Adresse Ihrer Identität geändert oder entfernt. An die frühere Adresse gehen weder Hinweise noch Anmeldecodes mehr.
mail-email-changed-advice = Wenn Sie darum gebeten haben, müssen Sie nichts tun. Wenn nicht, wenden Sie sich sofort an den Kundendienst von { $issuer }, öffnen Sie dann Ihr Konto, ändern Sie Ihr Passwort und beenden Sie die Sitzungen, die Sie nicht erkennen.

mail-fiscal-number-changed-subject = Steuernummer geändert
mail-fiscal-number-changed-what = der Kundendienst von { $issuer } hat die Steuernummer geändert, die für Ihre Identität eingetragen ist. Daran erkennen Sie die Dienste, und wer eine Karte mit dieser Nummer hat, kann sich damit anmelden.
mail-fiscal-number-changed-advice = Wenn Sie um die Berichtigung gebeten haben, müssen Sie nichts tun. Wenn nicht, wenden Sie sich sofort an den Kundendienst von { $issuer } und fragen Sie, was geändert wurde.

mail-consent-expiring-subject = Eine Ihrer Zustimmungen endet bald
mail-consent-expiring-what = die Zustimmung, die Sie dem Dienst „{ $rp }“ gegeben haben, endet am { $until }. Danach kann der Dienst Ihre Daten nicht mehr lesen, ohne Sie wieder zu fragen.
mail-consent-expiring-advice = Sie brauchen nichts zu tun. Wenn sie früher enden soll, öffnen Sie Ihr Konto und widerrufen Sie die Zustimmung für diesen Dienst.

mail-email-code-subject = Ihr Anmeldecode
mail-email-code-what = der Code zum Abschluss Ihrer Anmeldung beim Dienst „{ $rp }“, mit der Identität von { $issuer }, ist { $code }. Er gilt einmal, { $minutes } Minuten lang.
mail-email-code-advice = Geben Sie ihn nur auf der Seite ein, auf der Sie die Anmeldung begonnen haben, und sagen Sie ihn niemandem. Wenn Sie sich gerade nicht anmelden, kennt jemand Ihr Passwort: öffnen Sie Ihr Konto und ändern Sie es.
