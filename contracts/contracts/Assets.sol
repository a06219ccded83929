// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAssets, SumSibling} from "./interfaces/IAssets.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";
import {MerkleSum} from "./libraries/MerkleSum.sol";
import {Ppm} from "./libraries/Ppm.sol";
import {Purposes} from "./libraries/Purposes.sol";

/// @title Datasets, models and apps as assets that earn; documented on IAssets.
/// @dev A sale on a market that reads ERC-2981 sends 5 % to the asset's owner of that moment; it is a hint and nothing enforces it.
contract Assets is IAssets, ERC721, IERC2981, ReentrancyGuardTransient {
    using ExactTransfer for address;
    using Ppm for uint256;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 private constant MAX_TOKENS = 4;
    uint256 private constant MAX_VERSIONS = 32;
    uint256 private constant MAX_PARENTS = 16;
    uint256 private constant RESALE_PPM = 50_000;

    /// What a version has earned in a token. One slot, so that a repeat payment writes one.
    struct Till {
        uint120 gross;
        uint120 settled;
        bool accepted;
    }

    /// @inheritdoc IAssets
    uint64 public latestVersion;
    uint256 private _assetCount;

    /// @inheritdoc IAssets
    mapping(uint64 version => uint256) public assetOf;
    /// @inheritdoc IAssets
    mapping(uint64 version => uint32) public ownerShareOf;
    /// @inheritdoc IAssets
    mapping(uint64 child => mapping(uint64 parent => mapping(address token => uint256))) public pulledOf;
    /// @inheritdoc IAssets
    mapping(uint64 version => mapping(address token => mapping(uint64 index => uint256))) public contributorClaimed;
    /// @inheritdoc IAssets
    mapping(address token => mapping(address account => uint256)) public owed;

    mapping(uint64 version => mapping(address token => Till)) private _tills;
    mapping(uint64 version => VersionTerms) private _terms;
    mapping(uint256 assetId => address[]) private _tokens;
    mapping(uint256 assetId => uint64[]) private _versions;

    constructor() ERC721("Potluck Asset", "POTLUCK") {}

    /// @inheritdoc IAssets
    function create(address to, address[] calldata tokens, VersionTerms calldata terms)
        external
        nonReentrant
        returns (uint256 assetId, uint64 version)
    {
        if (tokens.length == 0 || tokens.length > MAX_TOKENS) revert TokensCount(tokens.length);
        for (uint256 i = 0; i < tokens.length; ++i) {
            if (tokens[i].code.length == 0) revert TokenInvalid(tokens[i]);
            for (uint256 j = 0; j < i; ++j) {
                if (tokens[i] == tokens[j]) revert TokenInvalid(tokens[i]);
            }
        }
        assetId = ++_assetCount;
        _tokens[assetId] = tokens;
        // Not _safeMint: a receiver's hook could call back in, and an asset sent to a contract is the sender's choice.
        _mint(to, assetId);
        emit AssetCreated(assetId, to, msg.sender, tokens);
        version = _addVersion(assetId, terms);
    }

    /// @inheritdoc IAssets
    function addVersion(uint256 assetId, VersionTerms calldata terms) external nonReentrant returns (uint64 version) {
        if (_ownerOf(assetId) != msg.sender) revert NotAssetOwner(assetId, msg.sender);
        if (_versions[assetId].length == MAX_VERSIONS) revert TooManyVersions(assetId);
        return _addVersion(assetId, terms);
    }

    /// @inheritdoc IAssets
    function pay(uint64 version, address token, uint128 amount) external nonReentrant {
        Till storage till = _tills[version][token];
        if (!till.accepted) revert TokenNotAccepted(version, token);
        if (amount == 0) revert ZeroAmount();
        token.takeExact(msg.sender, amount);
        till.gross = (uint256(till.gross) + amount).toUint120();
        emit Paid(version, token, msg.sender, amount);
    }

    /// @inheritdoc IAssets
    function pull(uint64 child, uint64 parent, address token) external nonReentrant returns (uint256) {
        return _pull(child, parent, token);
    }

    /// @inheritdoc IAssets
    function pullPath(uint64[] calldata versions, address token) external nonReentrant {
        for (uint256 i = 1; i < versions.length; ++i) {
            _pull(versions[i - 1], versions[i], token);
        }
    }

    /// @inheritdoc IAssets
    function settle(uint64 version, address token) external nonReentrant returns (uint256) {
        return _settle(version, token, ownerOf(_knownAsset(version)));
    }

    /// @inheritdoc IAssets
    function claimContributor(
        uint64 version,
        address token,
        uint64 index,
        address account,
        uint128 weight,
        SumSibling[] calldata proof
    ) external nonReentrant returns (uint256 amount) {
        VersionTerms storage terms = _terms[version];
        (bytes32 root, uint128 total) = (terms.contributorsRoot, terms.contributorsTotal);
        if (total == 0 || !MerkleSum.verify(root, total, index, account, weight, proof)) {
            revert SumProofInvalid(root, total);
        }
        uint256 pot = uint256(_tills[version][token].gross).ofDown(terms.contributorsShare);
        uint256 due = pot * weight / total;
        amount = due - contributorClaimed[version][token][index];
        if (amount == 0) return 0;
        contributorClaimed[version][token][index] = due;
        owed[token][account] += amount;
        emit ContributorCredited(version, token, account, index, amount);
    }

    /// @inheritdoc IAssets
    function withdraw(address token) external nonReentrant returns (uint256) {
        return _withdraw(msg.sender, token);
    }

    /// @inheritdoc IAssets
    function withdrawFor(address account, address token) external nonReentrant returns (uint256) {
        return _withdraw(account, token);
    }

    /// @inheritdoc IAssets
    function checkLineage(
        address[] calldata tokens,
        uint32 asked,
        uint64[] calldata parents,
        uint32[] calldata shares,
        uint32 contributorsShare
    ) external view {
        _checkLineage(tokens, asked, parents, shares, contributorsShare, latestVersion + 1);
    }

    /// @inheritdoc IAssets
    function termsOf(uint64 version) external view returns (VersionTerms memory) {
        return _terms[version];
    }

    /// @inheritdoc IAssets
    function tokensOf(uint256 assetId) external view returns (address[] memory) {
        return _tokens[assetId];
    }

    /// @inheritdoc IAssets
    function versionsOf(uint256 assetId) external view returns (uint64[] memory) {
        return _versions[assetId];
    }

    /// @inheritdoc IAssets
    function trainPriceOf(uint64 version) external view returns (address token, uint128 price) {
        return (_tokens[_knownAsset(version)][0], _terms[version].trainPrice);
    }

    /// @inheritdoc IAssets
    function grossOf(uint64 version, address token) external view returns (uint256) {
        return _tills[version][token].gross;
    }

    /// @inheritdoc IAssets
    function settledOf(uint64 version, address token) external view returns (uint256) {
        return _tills[version][token].settled;
    }

    /// @inheritdoc IAssets
    function pullable(uint64 child, uint64 parent, address token) external view returns (uint256) {
        return uint256(_tills[child][token].gross).ofDown(_shareOf(child, parent)) - pulledOf[child][parent][token];
    }

    /// @inheritdoc IAssets
    function settleable(uint64 version, address token) external view returns (uint256) {
        Till storage till = _tills[version][token];
        return uint256(till.gross).ofDown(ownerShareOf[version]) - till.settled;
    }

    /// @inheritdoc IERC2981
    function royaltyInfo(uint256 assetId, uint256 price) external view returns (address, uint256) {
        return (_ownerOf(assetId), price / Ppm.ONE * RESALE_PPM + price % Ppm.ONE * RESALE_PPM / Ppm.ONE);
    }

    function supportsInterface(bytes4 interfaceId) public view override(ERC721, IERC165) returns (bool) {
        return interfaceId == type(IERC2981).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev Before an asset changes hands its old owner is credited with everything that has arrived at its versions (C-24). What still
    /// lies with children goes to whoever owns the asset when it is pulled: pull before selling.
    function _update(address to, uint256 assetId, address auth) internal override returns (address from) {
        from = _ownerOf(assetId);
        if (from != address(0)) {
            uint64[] storage versions = _versions[assetId];
            address[] storage tokens = _tokens[assetId];
            for (uint256 i = 0; i < versions.length; ++i) {
                for (uint256 j = 0; j < tokens.length; ++j) {
                    _settle(versions[i], tokens[j], from);
                }
            }
        }
        return super._update(to, assetId, auth);
    }

    function _addVersion(uint256 assetId, VersionTerms calldata terms) private returns (uint64 version) {
        version = ++latestVersion;
        address[] memory tokens = _tokens[assetId];
        // A child grants nothing that its parents do not.
        uint256 given = _checkLineage(
            tokens, terms.purposes | Purposes.DERIVE, terms.parents, terms.shares, terms.contributorsShare, version
        );
        bool hasContributors = terms.contributorsRoot != 0 && terms.contributorsTotal > 0;
        if (terms.contributorsShare > 0 && !hasContributors) {
            revert ContributorsInvalid(terms.contributorsRoot, terms.contributorsTotal, terms.contributorsShare);
        }
        assetOf[version] = assetId;
        // Shares were checked to add up to at most a million.
        ownerShareOf[version] = uint32(Ppm.ONE - given);
        _terms[version] = terms;
        _versions[assetId].push(version);
        for (uint256 i = 0; i < tokens.length; ++i) {
            _tills[version][tokens[i]].accepted = true;
        }
        emit VersionAdded(assetId, version, msg.sender, terms);
    }

    /// @return given Ppm that go to parents and contributors.
    function _checkLineage(
        address[] memory tokens,
        uint32 asked,
        uint64[] calldata parents,
        uint32[] calldata shares,
        uint32 contributorsShare,
        uint64 version
    ) private view returns (uint256 given) {
        if (parents.length != shares.length || parents.length > MAX_PARENTS) {
            revert ParentsInvalid(parents.length, shares.length);
        }
        given = contributorsShare;
        uint64 last = 0;
        for (uint256 i = 0; i < parents.length; ++i) {
            uint64 parent = parents[i];
            if (parent >= version) revert UnknownVersion(parent);
            if (parent <= last) revert ParentOrder(parent);
            last = parent;
            VersionTerms storage terms = _terms[parent];
            if (terms.purposes & asked != asked) revert LicenceNotGranted(parent, asked, terms.purposes);
            if (shares[i] < terms.minShare) revert ShareTooSmall(parent, shares[i], terms.minShare);
            given += shares[i];
            // Income in a token that a parent does not know would never be settled when the parent is sold.
            for (uint256 j = 0; j < tokens.length; ++j) {
                if (!_tills[parent][tokens[j]].accepted) revert TokenNotAccepted(parent, tokens[j]);
            }
        }
        if (given > Ppm.ONE) revert SharesTooLarge(given);
    }

    function _pull(uint64 child, uint64 parent, address token) private returns (uint256 amount) {
        uint256 due = uint256(_tills[child][token].gross).ofDown(_shareOf(child, parent));
        amount = due - pulledOf[child][parent][token];
        if (amount == 0) return 0;
        pulledOf[child][parent][token] = due;
        Till storage till = _tills[parent][token];
        till.gross = (uint256(till.gross) + amount).toUint120();
        emit Pulled(child, parent, token, amount);
    }

    function _settle(uint64 version, address token, address owner) private returns (uint256 amount) {
        Till storage till = _tills[version][token];
        uint256 due = uint256(till.gross).ofDown(ownerShareOf[version]);
        amount = due - till.settled;
        if (amount == 0) return 0;
        // At most `gross`: the cast loses nothing.
        till.settled = uint120(due);
        owed[token][owner] += amount;
        emit Settled(version, token, owner, amount);
    }

    function _withdraw(address account, address token) private returns (uint256 amount) {
        amount = owed[token][account];
        if (amount == 0) revert NothingOwed(token, account);
        owed[token][account] = 0;
        emit Withdrawn(token, account, amount);
        IERC20(token).safeTransfer(account, amount);
    }

    function _shareOf(uint64 child, uint64 parent) private view returns (uint256) {
        VersionTerms storage terms = _terms[child];
        uint256 count = terms.parents.length;
        for (uint256 i = 0; i < count; ++i) {
            if (terms.parents[i] == parent) return terms.shares[i];
        }
        revert NotParent(child, parent);
    }

    function _knownAsset(uint64 version) private view returns (uint256 assetId) {
        assetId = assetOf[version];
        if (assetId == 0) revert UnknownVersion(version);
    }
}
