// Asks the browser for a security key and posts what it answers with the form around it (WebAuthn Level 2).
"use strict";
(function () {
  function bytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (letter) { return letter.charCodeAt(0); });
  }

  function text(buffer) {
    var plain = "";
    new Uint8Array(buffer).forEach(function (byte) { plain += String.fromCharCode(byte); });
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function named(list) {
    return (list || []).map(function (key) { return Object.assign({}, key, { id: bytes(key.id) }); });
  }

  function ask(part) {
    var options = JSON.parse(part.dataset.options);
    options.challenge = bytes(options.challenge);
    if (part.dataset.key === "create") {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = named(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = named(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }

  function answer(credential) {
    var response = credential.response;
    var found = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      found.attestationObject = text(response.attestationObject);
      found.transports = response.getTransports ? response.getTransports() : [];
    } else {
      found.authenticatorData = text(response.authenticatorData);
      found.signature = text(response.signature);
      if (response.userHandle) {
        found.userHandle = text(response.userHandle);
      }
    }
    var whole = {
      id: credential.id,
      rawId: text(credential.rawId),
      response: found,
      clientExtensionResults: credential.getClientExtensionResults(),
      type: credential.type
    };
    if (credential.authenticatorAttachment) {
      whole.authenticatorAttachment = credential.authenticatorAttachment;
    }
    return JSON.stringify(whole);
  }

  function reason(error) {
    if (error.name === "NotAllowedError" || error.name === "AbortError") {
      return "cancelled";
    }
    return error.name === "InvalidStateError" ? "known" : "failed";
  }

  document.querySelectorAll("[data-key]").forEach(function (part) {
    var find = function (name) { return part.querySelector("[data-key-" + name + "]"); };
    var form = part.closest("form");
    var tell = function (which) {
      part.querySelectorAll("[data-key-error]").forEach(function (message) {
        message.hidden = message.dataset.keyError !== which;
      });
    };
    find("without").hidden = true;
    if (!window.PublicKeyCredential) {
      tell("unsupported");
      return;
    }
    var button = find("start");
    button.hidden = false;
    button.addEventListener("click", function () {
      if (!form.reportValidity()) {
        return;
      }
      tell("");
      button.disabled = true;
      find("wait").hidden = false;
      ask(part).then(function (credential) {
        find("answer").value = answer(credential);
        form.submit();
      }).catch(function (error) {
        button.disabled = false;
        find("wait").hidden = true;
        tell(reason(error));
      });
    });
  });
})();
