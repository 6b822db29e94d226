mail-greeting = Hello,
mail-when = When: { $when } (Italian time)
mail-where = From where: { $browser }, address { $address }
mail-named = Name: { $name }
mail-account = Your account: { $url }
mail-footer = Automatic message from { $issuer }. We never ask for your password or a code by e-mail or telephone. When in doubt do not follow links: type the address into your browser yourself.

mail-new-device-subject = New login with your digital identity
mail-new-device-what = somebody logged in with your identity at { $issuer }, with a browser that you have not used before.
mail-new-device-advice = If it was you, there is nothing to do. If it was not, open your account at once, change your password and end the sessions that you do not recognise.

mail-offline-access-used-subject = A service used its access to your data
mail-offline-access-used-what = the service “{ $rp }” used the access that you gave it for the time when you are not logged in, and can again read the data that you consented to.
mail-offline-access-used-advice = If that is what you want, there is nothing to do. Otherwise open your account and withdraw the consent for this service: from then on it can read nothing. We tell you at most once a day for each service.

mail-factor-added-subject = New second factor registered
mail-factor-added-what = a second factor was added to your identity at { $issuer }.
mail-factor-added-advice = If it was not you, open your account at once, remove the second factor that you do not recognise and change your password.

mail-factor-removed-subject = Second factor removed
mail-factor-removed-what = a second factor was removed from your identity at { $issuer }.
mail-factor-removed-advice = If it was not you, open your account at once, change your password and register the second factor again.

mail-recovery-renewed-subject = New recovery codes
mail-recovery-renewed-what = new recovery codes were made for your identity at { $issuer }. The earlier ones no longer work.
mail-recovery-renewed-advice = If it was not you, open your account at once, change your password and make other recovery codes.

mail-recovery-used-subject = Recovery code used
mail-recovery-used-what = a recovery code was used to log in with your identity at { $issuer }.
mail-recovery-used-advice = If it was not you, open your account at once, change your password and make new recovery codes.

mail-password-changed-subject = Password changed
mail-password-changed-what = the password of your identity at { $issuer } was changed. All other sessions were ended.
mail-password-changed-advice = If it was not you, contact the support of { $issuer } at once: with the new password only whoever changed it can log in.

mail-factors-reset-subject = Second factors reset
mail-factors-reset-what = the support of { $issuer } removed all second factors of your identity, recovery codes too.
mail-factors-reset-advice = If you asked for it, you can register new ones now. If you did not, contact the support of { $issuer } at once.

mail-email-changed-subject = E-mail address changed
mail-email-changed-what = the support of { $issuer } changed or removed the e-mail address of your identity. Neither notices nor login codes go to the earlier address any more.
mail-email-changed-advice = If you asked for it, there is nothing to do. If you did not, contact the support of { $issuer } at once, then open your account, change your password and end the sessions that you do not recognise.

mail-fiscal-number-changed-subject = Fiscal number changed
mail-fiscal-number-changed-what = the support of { $issuer } changed the fiscal number that is registered for your identity. Services know you by it, and whoever has a card with that number can log in with it.
mail-fiscal-number-changed-advice = If you asked for the correction, there is nothing to do. If you did not, contact the support of { $issuer } at once and ask what was changed.

mail-consent-expiring-subject = One of your consents is about to end
mail-consent-expiring-what = the consent that you gave to the service “{ $rp }” ends on { $until }. After that the service can no longer read your data without asking you again.
mail-consent-expiring-advice = There is nothing to do. If you want it to end earlier, open your account and withdraw the consent for this service.

mail-email-code-subject = Your login code
mail-email-code-what = the code to complete your login to the service “{ $rp }” with your identity at { $issuer } is { $code }. It works once, for { $minutes } minutes.
mail-email-code-advice = Type it only into the page on which you began to log in, and tell it to nobody. If you are not logging in, somebody knows your password: open your account and change it.
