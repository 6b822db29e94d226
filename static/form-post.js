// Sends the answer to the service at once; without JavaScript the page's button does.
document.getElementById("form-post").submit();
