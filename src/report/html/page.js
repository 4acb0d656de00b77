"use strict";
(function () {
  // A reference into a folded part opens it; printing opens all. Without this script everything is still there to unfold.
  function reveal() {
    var target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    var part = target;
    while (part) {
      if (part.tagName === "DETAILS") { part.open = true; }
      part = part.parentElement;
    }
    if (target) { target.scrollIntoView({ block: "center" }); }
  }
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (part) { part.open = true; });
  });
  if (location.hash) { reveal(); }
  var filter = document.getElementById("filter");
  if (!filter) { return; }
  filter.closest("p").hidden = false;
  filter.addEventListener("input", function () {
    var wanted = filter.value.toLowerCase();
    document.querySelectorAll("table.list tbody tr").forEach(function (row) {
      var hidden = row.textContent.toLowerCase().indexOf(wanted) < 0;
      row.hidden = hidden;
      var part = document.getElementById(row.querySelector("a").getAttribute("href").slice(1));
      if (part) { part.hidden = hidden; }
    });
  });
})();
