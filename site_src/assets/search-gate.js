/**
 * Stands before the theme's script in one file (scripts/render/building/finish.py). The theme fetches the search index,
 * and starts what searches in it, on every page. Both are held until the reader turns to the search.
 */
(function () {
  var send = XMLHttpRequest.prototype.send, open = XMLHttpRequest.prototype.open, waiting = [], wanted = false;
  XMLHttpRequest.prototype.open = function (method, url) {
    this.atlasHeld = !wanted && /\/search(_index)?\.json$/.test(url);
    // Chinese pages have an index of their own
    if (document.documentElement.lang === "zh") arguments[1] = String(url).replace(/search(\/search_index)?\.json$/, "zh/$&");
    return open.apply(this, arguments);
  };
  XMLHttpRequest.prototype.send = function () {
    if (this.atlasHeld && !wanted) waiting.push(this);
    else send.apply(this, arguments);
  };
  var Started = window.Worker, standing = [];
  window.Worker = function (url, options) {
    if (wanted || !/\/workers\/search\./.test(url)) return new Started(url, options);
    var place = new EventTarget(), held = [], worker;
    place.postMessage = function (message) {
      if (worker) worker.postMessage(message);
      else held.push(message);
    };
    standing.push(function () {
      worker = new Started(url, options);
      worker.onmessage = function (event) {
        place.dispatchEvent(new MessageEvent("message", { data: event.data }));
      };
      held.forEach(place.postMessage);
    });
    return place;
  };
  function release(event) {
    var target = event.target;
    if (wanted || !(target.id === "__search" || (target.closest && target.closest(".md-search, [for=__search]")))) return;
    wanted = true;
    standing.forEach(function (start) { start(); });
    waiting.forEach(function (request) { send.call(request); });
  }
  ["focusin", "click", "change", "touchstart"].forEach(function (name) {
    document.addEventListener(name, release, { capture: true, passive: true });
  });
})();
