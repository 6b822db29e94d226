login-title = Log in with { $brand }
login-for-rp = The following service asks to verify your identity:
login-for-history = Log in to see your accesses to services.
login-level = Requested security level:
login-submit = Log in
login-failed = The login did not succeed
login-error-wrong_credentials = The username or the password is not correct. Please check them and try again.
login-error-missing_username = Enter your username.
login-error-missing_password = Enter your password.
login-error-throttled-seconds = { $seconds ->
    [one] Too many attempts. Please wait one second and try again.
   *[other] Too many attempts. Please wait { $seconds } seconds and try again.
}
login-error-throttled-minutes = { $minutes ->
    [one] Too many attempts. Please wait one minute and try again.
   *[other] Too many attempts. Please wait { $minutes } minutes and try again.
}
login-error-level_not_reachable = The means of login registered for this user cannot reach the security level that the service asks for.
login-error-form_expired = The page was open for too long, or your cookies were deleted. Please enter your details again.
login-error-clock_went_back = Your earlier login no longer counts: the clock of this system has gone back. You have done nothing wrong: please log in again.
login-error-busy = There are very many logins at the moment. Please wait a few seconds and try again.
login-attributes = Data that the service asks for
login-attributes-note = After logging in you will see these data and decide whether to share them.

consent-title = Consent to share data with { $rp }
consent-who = Logged in as { $name }. Before you continue, please check which data will be shared with the service:
consent-attributes = Data that will be shared
consent-no-value = not available: will not be shared
consent-identifier-only = No personal details. The service will only receive a code that tells you apart at this service and that no other service receives.
consent-offline-title = Access while you are away
consent-offline = I allow { $rp } to update these data while I am away
consent-offline-help = This is optional: if you clear the box, the login still succeeds. You can withdraw this authorisation at any time on the page “Your logins”.
consent-offline-included = { $rp } will be able to update these data while you are away. You can withdraw this authorisation at any time on the page “Your logins”.
consent-level = Security level of this login:
consent-next = Afterwards you will return to: { $host }
consent-allow = I agree
consent-deny = I do not agree
