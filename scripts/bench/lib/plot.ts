/** A line chart on logarithmic axes, as SVG. */
export interface Line {
  readonly name: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

const size = { width: 640, height: 360, left: 76, right: 24, top: 40, bottom: 52 }
const colors = ["#0b6bcb", "#c2410c", "#15803d", "#7c3aed"]

const escape = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;")

const label = (value: number): string =>
  value >= 1 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(1)))

export const plot = (options: {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly lines: ReadonlyArray<Line>
}): string => {
  const points = options.lines.flatMap((line) => line.points)
  const decades = (values: ReadonlyArray<number>): readonly [number, number] => {
    const logs = values.map(Math.log10)
    const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))]
    return [low, Math.max(high, low + 1)]
  }
  const [x0, x1] = decades(points.map(([x]) => x))
  const [y0, y1] = decades(points.map(([, y]) => y))
  const left = (x: number) => size.left + ((Math.log10(x) - x0) / (x1 - x0)) * (size.width - size.left - size.right)
  const top = (y: number) =>
    size.height - size.bottom - ((Math.log10(y) - y0) / (y1 - y0)) * (size.height - size.top - size.bottom)
  const ticks = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i))
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${size.left}" y="22" font-size="15" fill="#111">${escape(options.title)}</text>`
  ]
  for (const x of ticks(x0, x1)) {
    parts.push(
      `<line x1="${left(x)}" y1="${size.top}" x2="${left(x)}" y2="${size.height - size.bottom}" stroke="#e5e7eb"/>`,
      `<text x="${left(x)}" y="${size.height - size.bottom + 18}" text-anchor="middle" fill="#444">${label(x)}</text>`
    )
  }
  for (const y of ticks(y0, y1)) {
    parts.push(
      `<line x1="${size.left}" y1="${top(y)}" x2="${size.width - size.right}" y2="${top(y)}" stroke="#e5e7eb"/>`,
      `<text x="${size.left - 8}" y="${top(y) + 4}" text-anchor="end" fill="#444">${label(y)}</text>`
    )
  }
  parts.push(
    `<text x="${(size.left + size.width - size.right) / 2}" y="${size.height - 12}" text-anchor="middle" fill="#444">${escape(options.x)}</text>`,
    `<text transform="translate(16 ${(size.top + size.height - size.bottom) / 2}) rotate(-90)" text-anchor="middle" fill="#444">${escape(options.y)}</text>`
  )
  options.lines.forEach(({ name, points }, index) => {
    const color = colors[index % colors.length]
    parts.push(
      `<polyline fill="none" stroke="${color}" stroke-width="2" points="${points.map(([x, y]) => `${left(x).toFixed(1)},${top(y).toFixed(1)}`).join(" ")}"/>`,
      ...points.map(([x, y]) => `<circle cx="${left(x).toFixed(1)}" cy="${top(y).toFixed(1)}" r="3" fill="${color}"/>`),
      `<text x="${size.width - size.right}" y="${size.top + 16 + index * 16}" text-anchor="end" fill="${color}">${escape(name)}</text>`
    )
  })
  return `${parts.join("\n")}\n</svg>\n`
}
