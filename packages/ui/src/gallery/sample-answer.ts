export const sampleCitations = [
  { number: 1, document: "handbook.pdf", page: 3 },
  { number: 2, document: "notes.md", page: null },
];

export const sampleAnswer = `## Notice periods

The notice period is **three months** to the end of a quarter [1]. Until the end of the trial period it is *two weeks* [1, 2]; see
also [the law](https://www.gesetze-im-internet.de/bgb/__622.html) and \`contract.md\`.

1. Write it down: an e-mail is not enough [2].
2. Send it to the personnel office.
   - by post
   - by hand

> “The notice must have been received before the month begins.” [1]

| Years of service | Notice |
| --- | --- |
| under 2 | 4 weeks |
| 2 to 5 | 1 month [2] |
| over 20 | 7 months |

- [x] signed
- [ ] sent

### In code

\`\`\`python
def notice_weeks(years: float) -> int:
    """Weeks of notice after a number of years."""
    if years < 0.5:  # trial period
        return 2
    return 13 if years > 2 else 4  # a very long comment that goes on and on so that the line does not fit and must be scrolled or wrapped
\`\`\`

The interest on $10,000 is \\(p = 0.05\\), so after \\(n\\) years

$$K_n = K_0 \\left(1 + \\frac{p}{100}\\right)^n \\quad\\text{and}\\quad \\sqrt{\\sum_{i=1}^{n} x_i^2} \\le \\int_0^\\infty e^{-x}\\,dx$$

![A chart](https://example.org/chart.png)
`;
