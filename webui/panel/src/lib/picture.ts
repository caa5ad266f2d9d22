// A drawing of the page as a PNG.  The CSP lets images come from data: alone, so the SVG goes through
// such an address; what the style sheet says of each element is written into it first.
const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family", "text-anchor"];
const SHARP = 2; // pixels for each of the page's
const HEAD = 36, FOOT = 28, EDGE = 12;

function dressed(svg: SVGElement): string {
  const copy = svg.cloneNode(true) as SVGElement;
  const from = svg.querySelectorAll("*"), to = copy.querySelectorAll("*");
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const look of LOOKS) to[i]!.setAttribute(look, style.getPropertyValue(look));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(copy);
}

/** legend: what each line is, and an element that has its colour. */
export async function png_of(svg: SVGElement, title: string, legend: [string, Element][]): Promise<Blob> {
  const { width, height } = svg.getBoundingClientRect();
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(dressed(svg))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * SHARP;
  canvas.height = (height + HEAD + FOOT) * SHARP;
  const pen = canvas.getContext("2d")!;
  const page = getComputedStyle(document.body);
  pen.scale(SHARP, SHARP);
  pen.fillStyle = getComputedStyle(svg.closest(".card") ?? document.body).backgroundColor;
  pen.fillRect(0, 0, width, height + HEAD + FOOT);
  pen.fillStyle = page.color;
  pen.font = `600 15px ${page.fontFamily}`;
  pen.fillText(title, EDGE, 24, width - 2 * EDGE);
  pen.drawImage(image, 0, HEAD, width, height);
  pen.font = `13px ${page.fontFamily}`;
  let left = EDGE;
  for (const [name, element] of legend) {
    pen.fillStyle = getComputedStyle(element).color;
    pen.fillRect(left, height + HEAD + 9, 14, 3);
    pen.fillText(name, left + 20, height + HEAD + 15);
    left += pen.measureText(name).width + 40;
  }
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
}
