@HEAD@# Assign this script to run as SYSTEM. The last line of its output is the summary.
# This script searches for kbfix.exe in Program Files\kbfix, then in PATH.

function Get-KbfixSummary {
    param([object]$Report, [int]$ExitCode)
    $parts = @()
    foreach ($spec in $Report.specs) {
        $text = $spec.id + ': ' + $spec.outcome
        $values = 0
        foreach ($change in $spec.changes) { $values += @($change.values).Count }
        if ($values -gt 0) { $text += ' (values: ' + $values + ')' }
        if ($spec.reasons) { $text += ': ' + ($spec.reasons -join ', ') }
        $parts += $text
    }
    foreach ($finding in $Report.diagnostics) {
        if ($finding.severity -eq 'error') { $parts += $finding.code + ': ' + $finding.message }
    }
    if ($parts.Count -eq 0) { $parts += 'kbfix exited with ' + $ExitCode + ' and printed no report' }
    $line = ($parts -join '; ') -replace '\s+', ' '
    if ($line.Length -gt 2000) { $line = $line.Substring(0, 2000) + '...' }
    return $line
}

$specs = @'
@INPUT@
'@

$programs = $env:ProgramW6432
if (-not $programs) { $programs = $env:ProgramFiles }
$kbfix = Join-Path -Path $programs -ChildPath 'kbfix\kbfix.exe'
if (-not (Test-Path -LiteralPath $kbfix)) {
    $found = Get-Command -Name 'kbfix.exe' -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if (-not $found) {
        Write-Output 'kbfix is not installed: neither in Program Files\kbfix nor in PATH'
        exit 1
    }
    $kbfix = $found.Path
}

# The input of kbfix has only ASCII characters, and the report is UTF-8.
$OutputEncoding = [System.Text.Encoding]::ASCII
try { [Console]::OutputEncoding = [System.Text.Encoding]::UTF8 } catch { $null = $_ }
# Text on standard error is also in the report, and here it would count as an error of the script.
$ErrorActionPreference = 'Continue'
$answer = $specs | & $kbfix @ARGUMENTS@ 2>$null
$code = $LASTEXITCODE
$report = $null
try { $report = ($answer -join "`n") | ConvertFrom-Json } catch { $report = $null }
Write-Output (Get-KbfixSummary -Report $report -ExitCode $code)
if ($code -ne 0) { exit 1 }
exit 0
