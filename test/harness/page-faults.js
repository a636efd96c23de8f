// Runs inside a page: what somebody who sees little, hears the page, or has a small telephone would stumble over. The value of
// this file is a list of sentences. Called by page-faults.ts. WCAG 2.2 in brackets.
(() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const check = (good, fault) => good || faults.push(fault);
  const words = (element) => element.outerHTML.slice(0, 100);

  check(document.documentElement.lang !== "", "the page has no lang (3.1.1)");
  check(document.title.trim() !== "", "the page has no title (2.4.2)");
  check(all("h1").length === 1, "there is not one h1");
  check(all("main").length === 1, "there is not one main");
  check(all("script").length === 0, "there is a script");
  for (const field of all("input:not([type=hidden]), textarea, select"))
    check(field.labels.length > 0, `no label: ${words(field)} (1.3.1)`);
  for (const image of all("img")) check(image.hasAttribute("alt"), `no alt: ${words(image)} (1.1.1)`);
  for (const button of all("button, a"))
    check(button.textContent.trim() !== "", `no words: ${words(button)} (2.4.4)`);
  const ids = all("[id]").map(({ id }) => id);
  check(new Set(ids).size === ids.length, "an id is there twice");
  for (const name of ["aria-describedby", "aria-labelledby"])
    for (const element of all(`[${name}]`))
      for (const id of element.getAttribute(name).split(" "))
        check(ids.includes(id), `${name} leads nowhere: ${words(element)}`);

  const { scrollWidth, clientWidth } = document.documentElement;
  check(scrollWidth <= clientWidth, `the page is ${scrollWidth} wide on ${clientWidth} pixels (1.4.10)`);
  for (const target of all("button, nav a")) {
    const { height } = target.getBoundingClientRect();
    check(height >= 24, `${height} pixels high: ${words(target)} (2.5.8)`);
  }

  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [less, more] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (more + 0.05) / (less + 0.05);
  };
  const backOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    if (text === "" || element.getClientRects().length === 0) continue;
    const ratio = contrast(getComputedStyle(element).color, backOf(element));
    check(ratio >= 7, `contrast ${ratio.toFixed(1)}: ${text.slice(0, 40)} (1.4.6)`);
  }
  for (const field of all("input:not([type=hidden]), textarea")) {
    const ratio = contrast(getComputedStyle(field).borderTopColor, backOf(field.parentElement));
    check(ratio >= 3, `border with contrast ${ratio.toFixed(1)}: ${words(field)} (1.4.11)`);
  }
  return faults;
})();
