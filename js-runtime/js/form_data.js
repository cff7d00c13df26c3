// FormData, and its two encodings.
(function () {
class FormData {}
return { FormData };
})();
